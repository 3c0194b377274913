// Express as its own guide sets it up: its JSON reader, its 404 in HTML, a weak ETag on every answer.
import { randomUUID } from "node:crypto";
import express from "express";

const [port, ...tokens] = process.argv.slice(2);
const app = express();
const workspaces = new Set();
const conversations = new Map();
const tasks = new Map();

app.use((request, response, next) => {
  response.set({ "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Authorization, Content-Type" });
  if (request.method === "OPTIONS") return response.sendStatus(204);
  return next();
});
app.use("/api/v1", (request, response, next) => {
  const token = (request.get("authorization") ?? "").replace(/^Bearer /, "");
  if (!tokens.includes(token)) return response.status(401).set("WWW-Authenticate", "Bearer").json({ error: "token" });
  response.locals.owner = token;
  response.set("Cache-Control", "no-cache");
  return next();
});
app.use(express.json({ limit: "1mb" }));

const wanted = (value, kind) => value === undefined || value === null || typeof value === kind;

app.post("/api/v1/workspaces", ({ body }, response) => {
  const id = body?.workspace_id;
  if (typeof id !== "string" || !/^[\w.~-]{1,64}$/.test(id)) return response.status(400).json({ error: "workspace_id" });
  workspaces.add(`${response.locals.owner} ${id}`);
  return response.json({ workspace_id: id });
});

app.post("/api/v1/workspaces/:workspace/conversations", ({ params }, response) => {
  const key = `${response.locals.owner} ${params.workspace}`;
  if (!workspaces.has(key)) return response.status(404).json({ error: "workspace" });
  const id = randomUUID();
  conversations.set(id, { key, last: Promise.resolve() });
  return response.status(201).json({ conversation_id: id });
});

async function work(task, text, before) {
  await before;
  const letters = [...text];
  const size = Math.max(1, Math.ceil(letters.length / 110));
  for (let at = 0; at < letters.length; at += size) {
    await new Promise((resolve) => setTimeout(resolve, 12));
    task.events.push({ type: "text_chunk", data: { content: letters.slice(at, at + size).join("") } });
  }
  task.status = "done";
}

app.post("/api/v1/workspaces/:workspace/messages", ({ params, body }, response) => {
  const conversation = conversations.get(body?.conversation_id);
  const iterations = body?.max_iterations;
  const right = wanted(body?.run_mode, "string") && (iterations == null || (Number.isInteger(iterations) && iterations > 0));
  if (typeof body?.message !== "string" || typeof body.conversation_id !== "string" || body.conversation_id === "" || !right)
    return response.status(400).json({ error: "message" });
  if (conversation?.key !== `${response.locals.owner} ${params.workspace}`)
    return response.status(404).json({ error: "conversation" });
  const id = randomUUID();
  const task = { owner: response.locals.owner, status: "running", events: [] };
  tasks.set(id, task);
  conversation.last = work(task, body.message, conversation.last);
  return response.status(202).json({ task_id: id });
});

app.get("/api/v1/tasks/:task", ({ params, query }, response) => {
  const task = tasks.get(params.task);
  if (task?.owner !== response.locals.owner) return response.status(404).json({ error: "task" });
  const from = query.from ?? "0";
  if (typeof from !== "string" || !/^\d{1,9}$/.test(from) || Number(from) > task.events.length)
    return response.status(400).json({ error: "from" });
  const { status, events } = task;
  return response.json({ data: { status, events: events.slice(Number(from)), next_offset: events.length } });
});

app.use((error, _request, response, _next) => response.status(error.status ?? 500).json({ error: error.message }));

const server = app.listen(Number(port), "127.0.0.1", () => console.log("ready", server.address().port));
