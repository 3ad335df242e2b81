// What the disk takes to have a write for good: the least that `DURABILITY=full` adds to each event that comes alone.
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

const BLOCK = 4096;
const TIMES = 200;

/** The milliseconds of each of some flushes of 4 KiB to a file that is as long already, least first. */
export function flushes(folder) {
  const file = openSync(join(folder, "flushed"), "w");
  const times = [];
  writeSync(file, Buffer.alloc(BLOCK * TIMES));
  fdatasyncSync(file);
  for (let place = 0; place < TIMES; place += 1) {
    const began = performance.now();
    writeSync(file, Buffer.alloc(BLOCK, 1), 0, BLOCK, place * BLOCK);
    fdatasyncSync(file);
    times.push(performance.now() - began);
  }
  closeSync(file);
  return times.sort((one, other) => one - other);
}
