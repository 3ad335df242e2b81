/* The two parts of Node that the tests use; its whole set of types would also describe a browser that has `require`. */
declare module "node:assert/strict" {
  export function equal(actual: unknown, expected: unknown): void;
  export function deepEqual(actual: unknown, expected: unknown): void;
}

declare module "node:test" {
  export function test(name: string, work: () => void): void;
}
