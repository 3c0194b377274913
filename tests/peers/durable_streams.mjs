// The log server @durable-streams/server behind an adapter: its byte offsets are the offsets of a task, unchanged.
import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { DurableStreamTestServer } from "@durable-streams/server";

const [port, ...tokens] = process.argv.slice(2);
const upstream = new DurableStreamTestServer({ port: 0, host: "127.0.0.1" });
const LOGS = await upstream.start();

const LIMIT = 1024 * 1024;
const spaces = new Set();
const conversations = new Map();
const owners = new Map();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const refuse = (status, reason, headers = {}) => Object.assign(new Error(reason), { status, headers });
const named = (offset) => `0000000000000000_${String(offset).padStart(16, "0")}`;

async function append(log, event, closes = false) {
  const headers = { "content-type": "application/octet-stream", ...(closes ? { "stream-closed": "true" } : {}) };
  const answer = await fetch(log, { method: "POST", headers, body: event === undefined ? "" : `${JSON.stringify(event)}\n` });
  if (!answer.ok) throw new Error(`the log refused an event: ${answer.status}`);
}

async function run(log, text, before) {
  await before;
  const letters = [...text];
  const size = Math.max(1, Math.ceil(letters.length / 110));
  for (let at = 0; at < letters.length; at += size) {
    await sleep(12);
    await append(log, { type: "text_chunk", data: { content: letters.slice(at, at + size).join("") } });
  }
  await append(log, { type: "done" }, true);
}

async function read(log, from) {
  const answer = await fetch(`${log}?offset=${from === 0 ? "-1" : named(from)}`);
  if (answer.status === 400) throw refuse(400, "no such offset");
  const next = Number(answer.headers.get("stream-next-offset").split("_")[1]);
  if (next < from) throw refuse(400, "behind the end");
  const lines = (await answer.text()).split("\n").filter(Boolean);
  const closed = answer.headers.get("stream-closed") === "true";
  return { status: closed ? "closed" : "running", events: lines.map((line) => JSON.parse(line)), next_offset: next };
}

function parse(request, bytes) {
  if (!/^application\/json\s*(;|$)/i.test(request.headers["content-type"] ?? "")) throw refuse(415, "not json");
  let value;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw refuse(400, "malformed json");
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw refuse(422, "not an object");
  return value;
}

function owner(request) {
  const match = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? "");
  if (!match || !tokens.includes(match[1])) throw refuse(401, "unauthorized", { "www-authenticate": "Bearer" });
  return match[1];
}

const routes = [
  ["POST", /^\/api\/v1\/workspaces$/, (who, _, body) => {
    const { workspace_id: id } = body();
    if (typeof id !== "string" || !/^[A-Za-z0-9][A-Za-z0-9._~-]{0,63}$/.test(id)) throw refuse(422, "bad workspace_id");
    spaces.add(`${who} ${id}`);
    return [200, { workspace_id: id }];
  }],
  ["POST", /^\/api\/v1\/workspaces\/([^/]+)\/conversations$/, (who, [space]) => {
    if (!spaces.has(`${who} ${space}`)) throw refuse(404, "no workspace");
    const id = randomUUID();
    conversations.set(id, { key: `${who} ${space}`, last: Promise.resolve() });
    return [201, { conversation_id: id }];
  }],
  ["POST", /^\/api\/v1\/workspaces\/([^/]+)\/messages$/, async (who, [space], body) => {
    const { conversation_id: id, message, max_iterations: most, run_mode: mode } = body();
    if (typeof id !== "string" || id === "" || typeof message !== "string") throw refuse(422, "bad message");
    if (most != null && !(Number.isInteger(most) && most >= 1)) throw refuse(422, "bad max_iterations");
    if (mode != null && typeof mode !== "string") throw refuse(422, "bad run_mode");
    const conversation = conversations.get(id);
    if (conversation?.key !== `${who} ${space}`) throw refuse(404, "no conversation");
    const task = randomUUID();
    const log = `${LOGS}/${task}`;
    await fetch(log, { method: "PUT", headers: { "content-type": "application/octet-stream" } });
    owners.set(task, who);
    conversation.last = run(log, message, conversation.last);
    return [202, { task_id: task }];
  }],
  ["GET", /^\/api\/v1\/tasks\/([^/]+)$/, async (who, [task], _, url) => {
    if (owners.get(task) !== who) throw refuse(404, "no task");
    const asked = url.searchParams.getAll("from");
    if (asked.length > 1 || !/^\d{1,16}$/.test(asked[0] ?? "0")) throw refuse(400, "from is an offset");
    return [200, { data: await read(`${LOGS}/${task}`, Number(asked[0] ?? "0")) }];
  }],
];

async function answer(request) {
  const url = new URL(request.url, "http://peer");
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size <= LIMIT) parts.push(part);
  }
  if (request.method === "OPTIONS") return [204];
  const found = routes.filter(([, path]) => path.test(url.pathname));
  if (!found.length) throw refuse(404, "no such path");
  const route = found.find(([method]) => method === request.method);
  if (!route) throw refuse(405, "another method", { allow: `${found[0][0]}, OPTIONS` });
  const who = owner(request);
  if (size > LIMIT) throw refuse(413, "too large");
  const bytes = Buffer.concat(parts);
  return route[2](who, route[1].exec(url.pathname).slice(1), () => parse(request, bytes), url);
}

const server = createServer(async (request, response) => {
  let [status, value, headers] = [500, { error: "broken" }, {}];
  try {
    [status, value] = await answer(request);
  } catch (error) {
    if (error.status) [status, value, headers] = [error.status, { error: error.message }, error.headers];
  }
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "authorization, content-type",
    ...headers,
  });
  response.end(value === undefined ? undefined : JSON.stringify(value));
});
server.listen(Number(port), "127.0.0.1", () => console.log("ready", server.address().port));
