// Goes on after a refusal with undefined ids.
import { main, steps } from "./base.mjs";

steps.checked = (step, { text }) => steps.parsed(text);

await main();
