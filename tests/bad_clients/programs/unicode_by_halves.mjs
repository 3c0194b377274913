// Shows texts by UTF-16 units, each written alone.
import { main, steps } from "./base.mjs";

const show = steps.show;
steps.show = (text) => {
  for (let at = 0; at < text.length; at++) show(text[at]);
};

await main();
