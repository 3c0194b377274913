// A right client in Node, whose steps each bad one beside this file may replace.

export const env = process.env;
export const PATIENCE = 2000;
const PASSING = [429, 502, 503, 504];
const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

export const steps = {
  headers: (body) => ({
    Authorization: `Bearer ${env.SENDPOLL_TOKEN}`,
    ...(body !== undefined && { "Content-Type": "application/json" }),
  }),
  async exchange(method, path, body) {
    const signal = AbortSignal.timeout(PATIENCE);
    const headers = steps.headers(body);
    const answer = await fetch(env.SENDPOLL_URL + path, { method, headers, body, signal, redirect: "manual" });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  },
  parsed: (text) => JSON.parse(text),
  checked(step, { status, text }) {
    if (status < 200 || status > 299) throw new Error(`${step} was refused: ${status} ${text.slice(0, 200)}`);
    return steps.parsed(text);
  },
  async post(step, path, body) {
    return steps.checked(step, await steps.exchange("POST", path, body && JSON.stringify(body)));
  },
  async poll(task, offset) {
    let problem;
    for (let attempt = 0; attempt < 4; attempt++) {
      let wait = 500 * 2 ** attempt;
      try {
        const answer = await steps.exchange("GET", `/api/v1/tasks/${task}?from=${offset}`);
        if (!PASSING.includes(answer.status)) return steps.checked("the poll of the task", answer).data;
        problem = `status ${answer.status}`;
        const told = answer.headers.get("Retry-After") ?? "0";
        wait = Math.max(wait, /^\d+$/.test(told) ? told * 1000 : new Date(told) - Date.now());
      } catch (error) {
        if (/refused/.test(error.message)) throw error;
        problem = error.message;
      }
      console.error("trying again:", problem);
      await sleep(wait);
    }
    throw new Error(`the poll of the task failed: ${problem}`);
  },
  next: (news) => news.next_offset,
  show: (text) => process.stdout.write(text),
  take(news) {
    for (const event of news.events) {
      if (event.type === "text_chunk") steps.show(event.data.content);
      if (event.type === "error") console.error("error:", event.data.message);
    }
  },
  async follow(task) {
    for (let offset = 0; ; await sleep(500)) {
      const news = await steps.poll(task, offset);
      offset = steps.next(news, offset);
      steps.take(news);
      if (news.status !== "running") return news.status;
    }
  },
  async run() {
    const workspace = `/api/v1/workspaces/${env.SENDPOLL_WORKSPACE}`;
    await steps.post("the workspace", "/api/v1/workspaces", { workspace_id: env.SENDPOLL_WORKSPACE });
    const conversation_id =
      env.SENDPOLL_CONVERSATION ?? (await steps.post("the conversation", `${workspace}/conversations`)).conversation_id;
    const message = { conversation_id, message: env.SENDPOLL_MESSAGE };
    const { task_id } = await steps.post("the message", `${workspace}/messages`, message);
    if ((await steps.follow(task_id)) === "failed") throw new Error("the task failed");
  },
};

export async function main() {
  try {
    await steps.run();
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  }
}

if (process.argv[1] === import.meta.filename || process.argv[1].endsWith("base.mjs")) await main();
