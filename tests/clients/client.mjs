// The Node client: fetch with kept-alive connections, every status but 2xx thrown, no retry.

const {
  SENDPOLL_URL: base = "http://localhost:8091",
  SENDPOLL_TOKEN: token = "<TOKEN>",
  SENDPOLL_WORKSPACE: workspace = "ws1",
  SENDPOLL_MESSAGE: message = "你好",
} = process.env;

async function call(method, path, document) {
  const headers = { Authorization: `Bearer ${token}` };
  if (document !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(base + path, { method, headers, body: document && JSON.stringify(document) });
  if (!answer.ok) throw new Error(await answer.text());
  return await answer.json();
}

await call("POST", "/api/v1/workspaces", { workspace_id: workspace });
const { conversation_id } = await call("POST", `/api/v1/workspaces/${workspace}/conversations`);
const { task_id } = await call("POST", `/api/v1/workspaces/${workspace}/messages`, {
  conversation_id,
  message,
  run_mode: "fast",
});

let offset = 0;
for (;;) {
  const { data } = await call("GET", `/api/v1/tasks/${task_id}?from=${offset}`);
  offset = data.next_offset;
  for (const event of data.events) {
    if (event.type === "text_chunk") process.stdout.write(event.data.content);
  }
  if (data.status !== "running") break;
  await new Promise((wake) => setTimeout(wake, 500));
}
