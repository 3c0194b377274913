// A client of a send-and-poll server: sends a message and prints the answer as it comes. Node 20, nothing else.
//
// The answer goes to standard output, everything else to standard error. The exit code is 0 if the answer is whole.

const {
  SENDPOLL_URL: url = "http://localhost:8091",
  SENDPOLL_TOKEN: token = "<TOKEN>",
  SENDPOLL_WORKSPACE: workspace = "ws1",
  SENDPOLL_CONVERSATION: given,
  SENDPOLL_MESSAGE: message = "Hello",
} = process.env;

const PAUSE = 500; // milliseconds between two polls
const PATIENCE = 10_000; // milliseconds in which an answer has to come whole
const TRIES = 6; // of one poll; they take half a minute
const PASSING = new Set([429, 502, 503, 504]); // what a poll may be told while its task runs on

class Refused extends Error {}

const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

async function ask(method, path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  // A connection of its own: one that is kept may be closed by the server at the moment it is used.
  if (method === "POST") headers.Connection = "close";
  const answer = await fetch(url + path, {
    method,
    headers,
    body: body && JSON.stringify(body),
    redirect: "manual", // another host must not have the token
    signal: AbortSignal.timeout(PATIENCE), // for the whole answer
  });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

function checked(step, { status, text }) {
  if (status < 200 || status > 299) throw new Refused(`${step} was refused: ${status} ${text.slice(0, 300)}`);
  return JSON.parse(text);
}

// A POST is sent once: whoever repeats it may send a message twice.
async function post(step, path, body) {
  return checked(step, await ask("POST", path, body));
}

// A poll may be repeated, from the same offset: after a broken connection, and where a server is busy.
async function poll(path) {
  let problem;
  for (let attempt = 0, late = 0; attempt < TRIES && late < 2; attempt++) {
    let wait = Math.min(1000 * 2 ** attempt, 8000);
    try {
      const answer = await ask("GET", path);
      if (!PASSING.has(answer.status)) return checked("the poll of the task", answer).data;
      problem = `status ${answer.status}`;
      wait = Math.max(wait, retryAfter(answer.headers.get("Retry-After")));
    } catch (error) {
      if (error instanceof Refused) throw error;
      problem = error.cause?.message ?? error.message;
      if (error.name === "TimeoutError") late++;
    }
    console.error(`the poll of the task failed (${problem}); trying again`);
    await sleep(wait);
  }
  throw new Refused(`the poll of the task failed for good: ${problem}`);
}

function retryAfter(value) {
  if (value === null) return 0;
  return /^\d+$/.test(value) ? Number(value) * 1000 : Math.max(0, new Date(value) - Date.now());
}

// Show the answer of a task as it comes; its final status.
async function follow(task, show) {
  for (let offset = 0; ; await sleep(PAUSE)) {
    const news = await poll(`/api/v1/tasks/${task}?from=${offset}`);
    offset = news.next_offset;
    for (const event of news.events) {
      if (event.type === "text_chunk") show(event.data.content);
      else if (event.type === "error") console.error(`error: ${event.data?.message}`);
    }
    if (news.status !== "running") return news.status;
  }
}

async function main() {
  const here = `/api/v1/workspaces/${workspace}`;
  await post("the workspace", "/api/v1/workspaces", { workspace_id: workspace });
  const conversation_id = given ?? (await post("the conversation", `${here}/conversations`)).conversation_id;
  const sent = await post("the message", `${here}/messages`, { conversation_id, message, run_mode: "fast" });
  const status = await follow(sent.task_id, (text) => process.stdout.write(text));
  process.stdout.write("\n");
  if (status === "failed") throw new Refused("the task failed");
}

main().catch((error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
