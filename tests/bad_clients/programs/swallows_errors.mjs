// Ends with 0, whatever happened.
import { main, steps } from "./base.mjs";

const { run } = steps;
steps.run = () => run().catch((error) => console.error(error.message));

await main();
