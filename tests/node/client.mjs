// Calls the address in the first argument with the official Node client, and prints the answers.
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "x", maxRetries: 0 });
const ask = { model: "auto", messages: [{ role: "user", content: "hi" }] };
const failing = async (change) => {
  try {
    await client.chat.completions.create({ ...ask, ...change });
  } catch (error) {
    return error instanceof OpenAI.APIError ? error.status : String(error);
  }
};

const plain = await client.chat.completions.create(ask);
let stream = "";
for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) {
  stream += chunk.choices[0].delta.content ?? "";
}
const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
const withTools = await client.chat.completions.create({ ...ask, tools });
const many = await Promise.all([1, 2, 3].map(() => client.chat.completions.create(ask)));

console.log(JSON.stringify({
  plain: plain.choices[0].message.content,
  cost: plain.usage.cost,
  stream,
  tools: withTools.choices[0].message.content,
  parallel: many.map((answer) => answer.choices[0].message.content),
  notFound: await failing({ model: "gpt-9" }),
  badRequest: await failing({ messages: "hi" }),
}));
