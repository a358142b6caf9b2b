// Calls what is passed through, files and batches with the official Node client of OpenAI.
import OpenAI, { toFile } from "openai";

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: "x", maxRetries: 0 });
const sound = Buffer.from(Array.from({ length: 5000 }, (_, at) => at % 256));

const completion = await client.completions.create({ model: "words", prompt: "x" });
let stream = "";
for await (const chunk of await client.completions.create({ model: "words", prompt: "x", stream: true })) {
  stream += chunk.choices[0]?.text ?? "";
}
const moderation = await client.moderations.create({ input: "x" });
const images = await client.images.generate({ model: "draw", prompt: "a bee", n: 2 });
const edited = await client.images.edit({
  model: "draw", prompt: "a hat", image: await toFile(sound, "b.png", { type: "image/png" }),
});
const speech = await client.audio.speech.create({ model: "voice", voice: "alloy", input: "Bees." });
const heard = await client.audio.transcriptions.create({
  model: "ears", file: await toFile(sound, "s.mp3"),
});

const body = { model: "p", messages: [{ role: "user", content: "hi" }] };
const line = { custom_id: "a", method: "POST", url: "/v1/chat/completions", body };
const file = await client.files.create({
  file: await toFile(Buffer.from(JSON.stringify(line)), "in.jsonl"), purpose: "batch",
});
let batch = await client.batches.create({
  input_file_id: file.id, endpoint: "/v1/chat/completions", completion_window: "24h",
});
while (!["completed", "failed"].includes(batch.status)) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  batch = await client.batches.retrieve(batch.id);
}
const output = await (await client.files.content(batch.output_file_id)).text();
const listed = [];
for await (const each of client.files.list({ limit: 1 })) listed.push(each.purpose);

console.log(JSON.stringify({
  completion: completion.choices[0].text,
  stream,
  flagged: moderation.results[0].flagged,
  images: images.data.map((image) => image.b64_json),
  edited: edited.data.length,
  speech: Buffer.from(await speech.arrayBuffer()).length,
  heard: heard.text,
  answer: JSON.parse(output).response.body.choices[0].message.content,
  listed: listed.sort(),
}));
