// Calls the address in the first argument with the official Node clients, and prints the answers.
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const address = process.argv[2];
const client = new OpenAI({ baseURL: `${address}/v1`, apiKey: "x", maxRetries: 0 });
const claude = new Anthropic({ baseURL: address, apiKey: "x", maxRetries: 0 });
const ask = { model: "auto", messages: [{ role: "user", content: "hi" }] };
const write = { ...ask, max_tokens: 100 };
const failing = async (call) => {
  try {
    await call;
  } catch (error) {
    const known = error instanceof OpenAI.APIError || error instanceof Anthropic.APIError;
    return known ? error.status : String(error);
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

const response = await client.responses.create({ model: "auto", input: "hi" });
const events = [];
for await (const event of await client.responses.create({ model: "auto", input: "hi", stream: true })) {
  events.push(event);
}
const deltas = events.filter((event) => event.type === "response.output_text.delta");
const first = await client.responses.create({ model: "auto", input: "hi", store: true });
const next = await client.responses.create({
  model: "auto", input: "again", previous_response_id: first.id,
});

const message = await claude.messages.create(write);
const final = await claude.messages.stream(write).finalMessage();
const counted = await claude.messages.countTokens(ask);

console.log(JSON.stringify({
  plain: plain.choices[0].message.content,
  cost: plain.usage.cost,
  stream,
  tools: withTools.choices[0].message.content,
  parallel: many.map((answer) => answer.choices[0].message.content),
  notFound: await failing(client.chat.completions.create({ ...ask, model: "gpt-9" })),
  badRequest: await failing(client.chat.completions.create({ ...ask, messages: "hi" })),
  response: response.output_text,
  responseCost: response.usage.cost,
  responseStream: deltas.map((event) => event.delta).join(""),
  lastEvent: events.at(-1).type,
  goesOn: next.previous_response_id === first.id,
  message: message.content[0].text,
  stopReason: message.stop_reason,
  messageStream: final.content[0].text,
  counted: counted.input_tokens > 0,
  messageNotFound: await failing(claude.messages.create({ ...write, model: "gpt-9" })),
}));
