// Cuts offsets to 32 bits.
import { main, steps } from "./base.mjs";

steps.next = (news) => news.next_offset | 0;

await main();
