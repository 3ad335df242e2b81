-- wrk: what devices with Evok send, each in its own rhythm: an array with one reading that has changed, over a connection of its own.
local threads = 0
local devices, scan_ms = 50, 20
local turn, count = 0, 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init()
  math.randomseed(os.time() * 31 + number)
  wrk.method = "POST"
  -- As Evok 2 sends it.
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  wrk.headers["Connection"] = "close"
end

-- A scan is over some milliseconds after the answer; the answer takes the rest of them.
function delay()
  return math.random(scan_ms - 8, scan_ms + 3)
end

function request()
  turn = turn % devices + 1
  if turn == 1 then count = count + 1 end
  local reading = '[{"dev":"ai","circuit":"%d_%02d","value":%.3f,"unit":"V","mode":"Voltage","range":[0,10],"alias":"al_%d_%d"}]'
  return wrk.format(nil, nil, nil, reading:format(number + 1, turn, count % 10000 / 1000, number + 1, turn))
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'FIGURES {"requests":%d,"seconds":%f,"p50_ms":%f,"p99_ms":%f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.status, e.connect + e.read + e.write + e.timeout))
end
