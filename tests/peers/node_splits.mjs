// Node's http module alone: chunked bodies cut every five bytes, so often inside a character, and lower-case everything.
import { createServer } from "node:http";
import { randomUUID } from "node:crypto";

const [port, ...tokens] = process.argv.slice(2);
const LIMIT = 1024 * 1024;
const spaces = new Set();
const conversations = new Map();
const tasks = new Map();

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const refuse = (status, reason, headers = {}) => Object.assign(new Error(reason), { status, headers });

async function read(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size <= LIMIT) parts.push(part);
  }
  if (size > LIMIT) throw refuse(413, "too large");
  return Buffer.concat(parts);
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

async function run(task, text, before) {
  await before;
  const letters = [...text];
  const size = Math.max(2, Math.ceil(letters.length / 60));
  task.events.push({ type: "thinking", data: { seconds: 0 } });
  for (let at = 0; at < letters.length; at += size) {
    await sleep(20);
    task.events.push({ type: "text_chunk", data: { content: letters.slice(at, at + size).join("") } });
  }
  await sleep(20);
  task.events.push({ type: "text_chunk", data: { content: " ✓" } }, { type: "end" });
  task.status = "finished";
}

const routes = [
  ["POST", /^\/api\/v1\/workspaces$/, (who, _, body) => {
    const { workspace_id: id } = body();
    if (typeof id !== "string" || !/^[A-Za-z0-9][A-Za-z0-9._~-]{0,63}$/.test(id)) throw refuse(422, "bad workspace_id");
    spaces.add(`${who} ${id}`);
    return [200, { ok: true }];
  }],
  ["POST", /^\/api\/v1\/workspaces\/([^/]+)\/conversations$/, (who, [space], body, bytes) => {
    if (bytes.length) body();
    if (!spaces.has(`${who} ${space}`)) throw refuse(404, "no workspace");
    const id = randomUUID();
    conversations.set(id, { who, space, last: Promise.resolve() });
    return [201, { conversation_id: id }];
  }],
  ["POST", /^\/api\/v1\/workspaces\/([^/]+)\/messages$/, (who, [space], body) => {
    const { conversation_id: id, message, max_iterations: most, run_mode: mode } = body();
    if (typeof id !== "string" || id === "" || typeof message !== "string") throw refuse(422, "bad message");
    if (!message.isWellFormed()) throw refuse(422, "half a character");
    if (most !== undefined && !(Number.isInteger(most) && most >= 1)) throw refuse(422, "bad max_iterations");
    if (mode !== undefined && typeof mode !== "string") throw refuse(422, "bad run_mode");
    const conversation = conversations.get(id);
    if (!conversation || conversation.space !== space) throw refuse(404, "no conversation");
    if (conversation.who !== who) throw refuse(403, "not yours");
    const task = { who, status: "running", events: [] };
    const name = `${Date.now()}:${randomUUID().slice(0, 13)}`;
    tasks.set(name, task);
    conversation.last = run(task, message, conversation.last);
    return [202, { task_id: name }];
  }],
  ["GET", /^\/api\/v1\/tasks\/([^/]+)$/, (who, [name], _, __, query) => {
    const task = tasks.get(name);
    if (!task) throw refuse(404, "no task");
    if (task.who !== who) throw refuse(403, "not yours");
    const asked = query.getAll("from");
    if (asked.length > 1 || !/^(0|[1-9]\d{0,8})$/.test(asked[0] ?? "0")) throw refuse(400, "bad from");
    const offset = Number(asked[0] ?? 0);
    if (offset > task.events.length) throw refuse(400, "from is past the end");
    return [200, { data: { next_offset: task.events.length, events: task.events.slice(offset), status: task.status } }];
  }],
];

async function answer(request) {
  const [rawPath, ...rest] = request.url.split("?");
  const bytes = await read(request);
  const found = routes.filter(([, pattern]) => pattern.test(rawPath));
  if (!found.length) throw refuse(404, "no such path");
  const route = found.find(([method]) => method === request.method);
  if (!route) throw refuse(405, "wrong method", { allow: found.map(([method]) => method).join(", ") });
  const who = owner(request);
  let names;
  try {
    names = route[1].exec(rawPath).slice(1).map(decodeURIComponent);
  } catch {
    throw refuse(400, "bad path");
  }
  return route[2](who, names, () => parse(request, bytes), bytes, new URLSearchParams(rest.join("?")));
}

const cors = { "access-control-allow-origin": "*", "access-control-allow-headers": "content-type, authorization" };

const server = createServer(async (request, response) => {
  let status, value, extra = {};
  try {
    [status, value] = request.method === "OPTIONS" ? [200, {}] : await answer(request);
  } catch (error) {
    status = error.status ?? 500;
    value = { error: error.message };
    extra = error.headers ?? {};
  }
  response.writeHead(status, { "content-type": 'application/json; charset="utf-8"', "cache-control": "no-store", ...cors, ...extra });
  const bytes = Buffer.from(JSON.stringify(value));
  for (let at = 0; at < bytes.length; at += 5) response.write(bytes.subarray(at, at + 5));
  response.end();
});
server.keepAliveTimeout = 30_000;
server.listen(Number(port), "127.0.0.1", () => console.log("ready", server.address().port));
