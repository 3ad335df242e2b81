-- wrk: one POST of one task a request, each with its own batch and id, and a line of figures at the end.
local threads = 0
local priorities = { "Low", "Moderate", "Major", "Critical" }
local batch, id = "", 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init()
  math.randomseed(os.time() * 31 + number)
  local r = math.random
  batch = string.format("%08x-%04x-4%03x-9%03x-%012x", r(0, 0x7fffffff), r(0, 0xffff), r(0, 0xfff), r(0, 0xfff), number)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  id = id + 1
  local priority = priorities[id % 4 + 1]
  local task = '{"batchid": "%s", "id": %d, "owner": "Norma Fisher", "priority": "%s"}'
  return wrk.format(nil, nil, nil, task:format(batch, id, priority))
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'FIGURES {"requests":%d,"seconds":%f,"p50_ms":%f,"p99_ms":%f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.status, e.connect + e.read + e.write + e.timeout))
end
