// Shows the text of whatever event comes.
import { main, steps } from "./base.mjs";

steps.take = (news) => {
  for (const event of news.events) steps.show(`${event.data?.content ?? event.data?.message}`);
};

await main();
