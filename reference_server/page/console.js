// The console is a client of the API like any other: it sends a message and polls the task from the last offset.
//
// What it knows is kept in sessionStorage after every poll, the text together with the offset that follows it, so a
// reload in the middle of an answer goes on where it stopped. Text from the server is only ever set as text.
//
// Whoever opens it may say all in the fragment of its URL, which no server is sent: #token=T&message=Hello and perhaps
// &workspace=W&conversation=C. The message is sent at once then, with that token alone: what this tab keeps is not used.
"use strict";

const told = new URLSearchParams(location.hash.slice(1));
const WORKSPACE = told.get("workspace") ?? "console";
const POLL_MS = 500;
const RETRY_MS = 2000;
const KEY = "sendpoll-console";
const CROWDED = "The server is asked too often. Trying again…";
const UNREACHABLE = "The server cannot be reached. Trying again…";

const byId = (id) => document.getElementById(id);
const page = {
  tokenForm: byId("token-form"), token: byId("token"), notice: byId("notice"), log: byId("log"), empty: byId("empty"),
  composer: byId("composer"), messageForm: byId("message-form"), message: byId("message"), runMode: byId("run-mode"),
  newConversation: byId("new-conversation"), forgetToken: byId("forget-token"), turn: byId("turn"),
};

const nothing = { token: "", conversation: "", draft: "", turns: [] };
let state = told.has("token")
  ? { ...nothing, token: told.get("token"), conversation: told.get("conversation") ?? "" }
  : restore();
let busy = false;

function restore() {
  try {
    return { ...nothing, ...JSON.parse(sessionStorage.getItem(KEY)) };
  } catch {
    return { ...nothing };
  }
}

function save() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    notify("This browser keeps nothing more for this tab; a reload would lose what is shown.");
  }
}

class ApiError extends Error {
  constructor(status, message, retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

// Milliseconds that Retry-After tells, in seconds or as a date.
function milliseconds(value) {
  if (value === null) return 0;
  return /^\d+$/.test(value) ? Number(value) * 1000 : Math.max(0, new Date(value) - Date.now()) || 0;
}

// Whoever watches the page sees by this whether a message is answered, and how.
function mark(name) {
  document.documentElement.dataset.sendpoll = name;
}

async function call(path, { method = "GET", body } = {}) {
  const headers = { Authorization: `Bearer ${state.token}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const retryAfter = milliseconds(response.headers.get("Retry-After"));
  if (!response.ok) throw new ApiError(response.status, await reason(response), retryAfter);
  const answer = await response.json();
  return answer;
}

// What a refusal says: the words of an API's error, or the status where a proxy answered.
async function reason(response) {
  try {
    return (await response.json()).error.message;
  } catch {
    return `status ${response.status}`;
  }
}

function notify(text) {
  page.notice.textContent = text;
  page.notice.hidden = !text;
}

function show() {
  const known = Boolean(state.token);
  page.tokenForm.hidden = known;
  page.composer.hidden = page.forgetToken.hidden = !known;
  page.newConversation.hidden = !known || !state.turns.length;
  page.empty.hidden = !known || state.turns.length > 0;
  page.messageForm.querySelector("button").disabled = busy;
  (known ? page.message : page.token).focus();
}

// Start over with another token: what the old one owned, the new one may not read.
function forgetToken(reason) {
  const { draft } = state;
  reset({ ...nothing, draft });
  page.token.value = "";
  notify(reason);
}

function reset(next) {
  state = next;
  busy = false;
  save();
  page.log.querySelectorAll(".turn").forEach((turn) => turn.remove());
  notify("");
  show();
}

function render(turn) {
  const element = page.turn.content.firstElementChild.cloneNode(true);
  const part = (name) => element.querySelector(`.${name}`);
  part("question").textContent = turn.question;
  if (turn.text) part("text").append(turn.text);
  page.log.append(element);
  const update = () => {
    element.dataset.status = turn.status;
    part("status").textContent = turn.status;
    part("offset").textContent = `offset ${turn.offset}`;
    part("skipped").textContent = turn.skipped.length ? `skipped ${turn.skipped.join(", ")}` : "";
    part("reason").textContent = turn.reason;
    part("reason").hidden = !turn.reason;
  };
  update();
  return {
    update,
    // All chunks of a poll at once: to look where the page ends lays all of it out anew.
    add(contents) {
      const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 80;
      const chunks = contents.map((content) => {
        const chunk = document.createElement("span");
        chunk.className = "chunk";
        chunk.textContent = content;
        return chunk;
      });
      part("text").append(...chunks);
      if (atEnd) element.scrollIntoView({ block: "end" });
    },
    scroll: () => element.scrollIntoView({ block: "end" }),
  };
}

function take(turn, view, news) {
  const contents = [];
  for (const event of news.events) {
    if (event.type === "text_chunk") {
      turn.text += event.data.content;
      contents.push(event.data.content);
    } else if (event.type === "error") {
      turn.reason = event.data?.message ?? "The task failed.";
    } else if (!turn.skipped.includes(event.type)) {
      turn.skipped.push(event.type);
    }
  }
  if (contents.length) view.add(contents);
  turn.offset = news.next_offset;
  turn.status = news.status;
  view.update();
  save();
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function follow(turn, view) {
  const mine = () => state.turns.includes(turn);
  while (turn.status === "running" && mine()) {
    let wait = POLL_MS;
    try {
      const { data } = await call(`api/v1/tasks/${encodeURIComponent(turn.task)}?from=${turn.offset}`);
      if (!mine()) return;
      take(turn, view, data);
      if ([UNREACHABLE, CROWDED].includes(page.notice.textContent)) notify("");
    } catch (problem) {
      if (!mine()) return;
      if (problem.status === 401) return forgetToken(problem.message);
      if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) {
        Object.assign(turn, { status: "failed", reason: problem.message });
        view.update();
        save();
        continue;
      }
      notify(problem.status === 429 ? CROWDED : UNREACHABLE);
      wait = Math.max(RETRY_MS, problem.retryAfter ?? 0);
    }
    if (turn.status === "running") await pause(wait);
  }
  mark(turn.status === "failed" ? "failed" : "done");
}

async function send(message) {
  const conversations = `api/v1/workspaces/${WORKSPACE}/conversations`;
  const mine = state;
  if (!mine.conversation) {
    await call("api/v1/workspaces", { method: "POST", body: { workspace_id: WORKSPACE } });
    mine.conversation = (await call(conversations, { method: "POST" })).conversation_id;
  }
  const body = { conversation_id: mine.conversation, message, run_mode: page.runMode.value };
  const { task_id: task } = await call(`api/v1/workspaces/${WORKSPACE}/messages`, { method: "POST", body });
  return { question: message, task, text: "", reason: "", skipped: [], offset: 0, status: "running" };
}

page.tokenForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  state.token = page.token.value.trim();
  try {
    await call("api/v1/workspaces", { method: "POST", body: { workspace_id: WORKSPACE } });
    reset({ ...nothing, token: state.token, draft: state.draft });
  } catch (problem) {
    state.token = "";
    notify(problem.status === 401 ? "Wrong token: the server does not know it." : `That did not work: ${problem.message}`);
  }
});

page.messageForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  const message = page.message.value;
  if (busy || !message.trim()) return;
  const before = state;
  busy = true;
  mark("running");
  notify("");
  show();
  try {
    const turn = await send(message);
    if (state !== before) return;
    state.turns.push(turn);
    state.draft = page.message.value = "";
    save();
    const view = render(turn);
    view.scroll();
    follow(turn, view);
  } catch (problem) {
    mark("failed");
    if (problem.status === 401) return forgetToken("The server does not know this token any more.");
    if (problem.status === 404) state.conversation = "";
    notify(problem.status ? `The message was refused: ${problem.message}` : "The server cannot be reached. Send it again.");
  } finally {
    busy = false;
    show();
  }
});

page.message.addEventListener("keydown", (event) => {
  // An input method uses Enter to choose characters; that Enter is not meant for the form.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  page.messageForm.requestSubmit();
});

page.message.addEventListener("input", () => {
  state.draft = page.message.value;
  save();
});

page.forgetToken.addEventListener("click", () => forgetToken(""));
page.newConversation.addEventListener("click", () => reset({ ...nothing, token: state.token, draft: state.draft }));

page.message.value = state.draft;
for (const turn of state.turns) follow(turn, render(turn));
show();
if (told.has("token")) history.replaceState(null, "", location.pathname); // a reload must not send it again
if (told.has("token") && told.has("message")) {
  page.message.value = told.get("message");
  page.messageForm.requestSubmit();
}
if (state.turns.length) page.log.lastElementChild.scrollIntoView({ block: "end" });
