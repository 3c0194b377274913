// Shows each chunk after a while, the longer ones later.
import { main, steps } from "./base.mjs";

steps.take = (news) => {
  for (const event of news.events) {
    if (event.type === "text_chunk") setTimeout(() => steps.show(event.data.content), 300 / event.data.content.length);
  }
};

await main();
