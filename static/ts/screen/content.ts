/* What a screen shows by itself: the shapes of its content, as the server has checked them, and which rule a sensor's word meets. */
export type Showable =
  | { type: "web"; url: string }
  | { type: "image"; url: string }
  | { type: "dashboard" }
  | { type: "card"; title?: string | null; text: string; datasource?: string | null; color?: string | null };

export type Item = Showable & { seconds: number };

export interface Datasource {
  name: string;
  every_seconds: number;
}

/** A rule matches when each member that it names is what the sensor said. */
export interface Rule {
  sensor?: string | null;
  event?: string | null;
  value?: string | null;
  show: Showable;
  seconds: number;
}

export interface Content {
  items: Item[];
  datasources: Datasource[];
  rules: Rule[];
}

/** What `sensor_data` of a call brings. */
export interface Sensed {
  id?: unknown;
  event?: unknown;
  value?: unknown;
}

export const EMPTY: Content = { items: [], datasources: [], rules: [] };

/** Content with all its lists, also when some are left out. */
export function whole(content: Partial<Content> | null | undefined): Content {
  return { items: content?.items ?? [], datasources: content?.datasources ?? [], rules: content?.rules ?? [] };
}

/** The first rule that the sensor's word meets. */
export function matching(rules: Rule[], said: Sensed): Rule | null {
  const meets = (wanted: string | null | undefined, is: unknown) => (wanted ?? null) === null || wanted === text(is);
  return (
    rules.find((it) => meets(it.sensor, said.id) && meets(it.event, said.event) && meets(it.value, said.value)) ?? null
  );
}

export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** What an operator reads of it in a list. */
export function label(item: Showable): string {
  const said = item.type === "card" ? item.title || item.text : item.type === "dashboard" ? "Dashboard" : item.url;
  return said.replace(/\s+/g, " ").slice(0, 200);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
