// The console: reads and writes the public API only; words from users are always text, never markup.

const POLL_MILLISECONDS = 1000;
const $ = (selector) => document.querySelector(selector);
const encodings = { gz: "gzip", zst: "zstd" };
const KEY = "wordkin-key"; // kept for as long as the tab is open

class Problem extends Error {}

async function api(path, options = {}) {
  const key = sessionStorage.getItem(KEY);
  const headers = key ? { ...options.headers, Authorization: `Bearer ${key}` } : options.headers;
  const response = await fetch(path, { ...options, headers });
  if (response.status === 401) $("#key-form").hidden = false;
  const body = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) {
    const near = Object.values(body?.suggestions ?? {}).flat().slice(0, 5);
    const hint = near.length ? ` Did you mean: ${near.join(", ")}?` : "";
    throw new Problem((body?.detail ?? `${response.status} ${response.statusText}`) + hint);
  }
  return { body, headers: response.headers };
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

async function showing(place, action) {
  place.hidden = true;
  try {
    await action();
  } catch (error) {
    place.textContent = error.message;
    place.hidden = false;
  }
}

function keep(select, options) {
  const chosen = select.value;
  const values = options.map((option) => option.value);
  if (values.join("\n") !== [...select.options].map((option) => option.value).join("\n")) select.replaceChildren(...options);
  if (values.includes(chosen)) select.value = chosen;
}

// Asking

// As people write it: king - man + woman, king-man+woman, king + woman - man, king man woman
function parsed(question) {
  const words = question.trim().split(/\s+/);
  if (words.length === 3 && !/[-+−]/.test(question)) return { a: words[0], b: words[1], c: words[2] };
  const joined = question.match(/^\s*([^\s+−-]+)\s*([+−-])\s*([^\s+−-]+)\s*([+−-])\s*([^\s+−-]+)\s*$/);
  const isSpaced = words.length === 5 && [words[1], words[3]].every((sign) => /^[-+−]$/.test(sign));
  const [a, first, second, third, fourth] = isSpaced ? words : joined?.slice(1) ?? [];
  if (!a || (first === "+") === (third === "+")) return null;
  return first === "+" ? { a, b: fourth, c: second } : { a, b: second, c: fourth };
}

function forget() {
  $("#ask-source").textContent = "";
  $("#answers").replaceChildren();
  $("#ask-problem").hidden = true;
}

async function ask(form) {
  forget();
  const { model, version, question } = Object.fromEntries(new FormData(form));
  const analogy = parsed(question);
  const query = new URLSearchParams({ model, version, k: 12, ...(analogy ?? { word: question.trim() }) });
  const { body } = await api(`/${analogy ? "analogy" : "neighbors"}?${query}`);
  $("#ask-source").textContent = `${body.model}, version ${body.version}`;
  $("#answers").replaceChildren(...(body.neighbors ?? body.answers).map((item) => {
    const word = element("button", { type: "button", textContent: item.word, title: "Ask for its neighbours" });
    word.onclick = () => { form.question.value = item.word; form.requestSubmit(); };
    const bar = element("meter", { min: 0, max: 1, value: Math.max(0, item.score) });
    bar.setAttribute("aria-hidden", "true");
    return element("li", {}, word, bar, element("span", { className: "score", textContent: item.score.toFixed(3) }));
  }));
}

async function complete(form) {
  const prefix = form.question.value.trim();
  if (!prefix || prefix.includes(" ") || !form.model.value) return;
  const query = new URLSearchParams({ model: form.model.value, version: form.version.value, prefix, k: 8 });
  const { body } = await api(`/words?${query}`).catch(() => ({ body: { words: [] } }));
  $("#completions").replaceChildren(...body.words.map((item) => element("option", { value: item.word })));
}

// Training

async function train(form) {
  const { file, corpus, model, algorithm, column, ...numbers } = Object.fromEntries(new FormData(form));
  const name = corpus || model;
  const format = corpus ? { kind: "plain" } : await formatOf(file, column);
  if (!corpus) {
    if (!file?.size) throw new Problem("Choose a text file or a stored corpus.");
    const encoding = encodings[file.name.split(".").pop()] ?? "identity";
    await api(`/corpora/${encodeURIComponent(name)}`, { method: "PUT", body: file, headers: { "Content-Encoding": encoding } });
  }
  const hyperparameters = Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, Number(value)]));
  await submit({ model, corpus: name, algorithm, text: { format }, hyperparameters });
}

async function submit(job) {
  await api("/jobs", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(job) });
  await refresh();
}

// What a file holds is guessed by its name and its first line, and said; the service checks it again.
async function formatOf(file, column) {
  const [, kind] = file?.name.toLowerCase().match(/\.(jsonl|ndjson|csv|tsv)$/) ?? [];
  if (!kind) return { kind: "plain" };
  const [first] = (await file.slice(0, 1 << 16).text()).split("\n");
  const isJson = kind === "jsonl" || kind === "ndjson";
  const separator = kind === "tsv" ? "\t" : ",";
  const names = isJson ? Object.keys(JSON.parse(first)) : first.trim().split(separator).map((name) => name.replace(/^"|"$/g, ""));
  const chosen = column || (names.length === 1 ? names[0] : "");
  if (!chosen) throw new Problem(`${file.name} has ${names.join(", ")}: say in “Field or column” which one is the text.`);
  $("#train-format").textContent = `${file.name} is read as ${isJson ? "JSON Lines, field" : `${kind.toUpperCase()}, column`} ${chosen}.`;
  return isJson ? { kind: "jsonl", field: chosen } : { kind, column: chosen };
}

// Importing, deriving, evaluating

const importing = async ({ file, stored, format, model }) => {
  const name = stored || (await upload(file));
  if (!name) throw new Problem("Choose a file of vectors or a stored file.");
  return { kind: "import", model, format, file: name };
};

const deriving = async ({ model, version, into, steps }) => {
  try {
    return { kind: "derive", model, version, steps: JSON.parse(steps), ...(into ? { into } : {}) };
  } catch (error) {
    throw new Problem(`Steps are no JSON: ${error.message}`);
  }
};

const evaluating = async ({ model, version, file, stored, type }) => {
  const name = stored || (await upload(file));
  return { kind: "evaluate", model, version, sets: name ? [{ file: name, type }] : [] };
};

// The name of what was sent; none if no file was chosen.
async function upload(file) {
  if (!file?.size) return "";
  const [, name, packed] = file.name.match(/^(.+?)(?:\.(gz|zst))?$/);
  const allowed = name.replace(/[^\p{L}\p{N}_.\-]/gu, "-").replace(/^[.\-]+/, "");
  const headers = { "Content-Encoding": encodings[packed] ?? "identity" };
  const { body } = await api(`/files/${encodeURIComponent(allowed)}`, { method: "PUT", body: file, headers });
  return body.name;
}

const option = (name) => element("option", { value: name, textContent: name });

async function listChoices() {
  const { body } = await api("/openapi.json");
  const { schema } = body.paths["/jobs"].post.requestBody.content["application/json"];
  const { ImportSubmission, EvaluationSet } = body.components.schemas;
  keep($("#train-form").algorithm, Object.keys(schema.oneOf.find((kind) => kind.discriminator).discriminator.mapping).map(option));
  keep($("#import-form").elements.format, ImportSubmission.properties.format.enum.map(option));
  keep($("#evaluate-form").elements.type, EvaluationSet.properties.type.enum.map(option));
}

// What goes on

function doing(job) {
  if (job.state !== "running") return job.state;
  if (job.phase === "compiling") return "compiling (first time on this machine)";
  return [job.phase ?? "starting", job.step].filter(Boolean).join(": ");
}

function jobRow(job) {
  const cancel = element("button", { type: "button", textContent: "Cancel" });
  cancel.onclick = () => api(`/jobs/${job.id}/cancel`, { method: "POST" }).then(refresh, refresh);
  const isActive = ["queued", "running"].includes(job.state);
  const percent = `${Math.floor(job.progress * 100)} %`;
  const cells = [
    job.version ? `${job.model} → version ${job.version}` : job.model,
    job.algorithm ?? job.kind,
    element("span", { textContent: doing(job), title: job.error?.detail ?? "", className: job.error ? "problem" : "" }),
    element("span", {}, element("progress", { max: 1, value: job.progress, ariaLabel: percent }), ` ${percent}`),
    job.tokens_per_second ? `${job.tokens_per_second.toLocaleString("en", { notation: "compact" })} tokens/s` : "",
    job.loss?.toFixed(4) ?? "",
    job.eta_seconds ? `${Math.round(job.eta_seconds)} s` : "",
    isActive ? cancel : job.error?.detail ?? "",
  ];
  return element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
}

function versionRow(model, version) {
  const number = version.version;
  const names = Object.entries(model.aliases).filter(([, aliased]) => aliased === number).map(([alias]) => alias);
  const choose = element("button", { type: "button", textContent: "Make latest" });
  choose.onclick = () => showing($("#models-problem"), async () => {
    const path = `/models/${encodeURIComponent(model.name)}/aliases/latest`;
    const { headers } = await api(path);
    await api(path, {
      method: "PUT",
      headers: { "Content-Type": "application/json", "If-Match": headers.get("ETag") },
      body: JSON.stringify({ version: number }),
    });
    modelsSeen = "";
    forget();
    await refresh();
  });
  const tags = names.flatMap((name) => [" ", element("span", { className: "tag", textContent: name })]);
  const cells = [
    [model.name], [`${number}`, ...tags], [new Date(version.created_at).toLocaleString()],
    [version.n_words.toLocaleString()], [`${version.dim}`], [version.algorithm ?? version.origin], [names.includes("latest") ? "" : choose],
  ];
  return element("tr", {}, ...cells.map((cell) => element("td", {}, ...cell)));
}

async function refreshJobs() {
  const { body } = await api("/jobs?limit=20");
  $("#job-rows").replaceChildren(...body.jobs.map(jobRow));
  return body.jobs.filter((job) => job.state === "succeeded").length;
}

async function refreshModels(listed) {
  const details = await Promise.all(listed.map((model) => api(`/models/${encodeURIComponent(model.name)}`)));
  const models = details.map((detail) => detail.body);
  $("#version-rows").replaceChildren(...models.flatMap((model) => model.versions.map((version) => versionRow(model, version))));
  for (const form of ["#ask-form", "#derive-form", "#evaluate-form"].map($)) {
    keep(form.model, models.map((model) => option(model.name)));
    const chosen = models.find((model) => model.name === form.model.value);
    const versions = chosen ? [...Object.keys(chosen.aliases), ...chosen.versions.map((version) => String(version.version))] : [];
    keep(form.version, versions.map(option));
  }
  const { body: corpora } = await api("/corpora");
  keep($("#train-form").corpus, ["", ...corpora.corpora.map((corpus) => corpus.name)].map(option));
  const { body: files } = await api("/files");
  for (const form of ["#import-form", "#evaluate-form"].map($)) keep(form.stored, ["", ...files.files.map((file) => file.name)].map(option));
}

let modelsSeen = "";

async function refresh() {
  try {
    const succeeded = await refreshJobs();
    const { body: health } = await api("/readyz");
    const { body: { models } } = await api("/models");
    const state = JSON.stringify([succeeded, health.loaded, health.degraded, models]);
    if (state !== modelsSeen) await refreshModels(models);
    modelsSeen = state;
    const degraded = Object.entries(health.degraded).map(([name, why]) => `${name}: ${why}`);
    $("#health").textContent = degraded.length ? degraded.join("; ") : `${health.loaded.length} loaded`;
  } catch (error) {
    $("#health").textContent = error instanceof Problem ? error.message : "The service does not answer.";
  }
}

$("#ask-form").onsubmit = (event) => { event.preventDefault(); showing($("#ask-problem"), () => ask(event.target)); };
$("#ask-form").question.oninput = () => complete($("#ask-form"));
$("#ask-form").model.onchange = () => { forget(); modelsSeen = ""; refresh(); };
$("#ask-form").version.onchange = forget;
for (const form of ["#derive-form", "#evaluate-form"].map($)) form.model.onchange = () => { modelsSeen = ""; refresh(); };

$("#key-form").onsubmit = (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, event.target.elements.key.value.trim());
  event.target.reset();
  event.target.hidden = true;
  modelsSeen = "";
  refresh();
};

const read = (form) => Object.fromEntries(new FormData(form));
const actions = {
  train,
  import: async (form) => submit(await importing(read(form))),
  derive: async (form) => submit(await deriving(read(form))),
  evaluate: async (form) => submit(await evaluating(read(form))),
};
for (const [name, action] of Object.entries(actions)) {
  $(`#${name}-form`).onsubmit = async (event) => {
    event.preventDefault();
    const button = event.target.querySelector("button");
    button.disabled = true;
    await showing($(`#${name}-problem`), () => action(event.target));
    button.disabled = false;
  };
}

// A link may carry a question: /console?model=bible&question=king
const asked = new URLSearchParams(location.search);
await Promise.all([listChoices().catch(() => {}), refresh()]);
setInterval(refresh, POLL_MILLISECONDS);
if (asked.has("question")) {
  const form = $("#ask-form");
  if (asked.has("model")) {
    form.model.value = asked.get("model");
    modelsSeen = "";
    await refresh();
  }
  form.question.value = asked.get("question");
  form.requestSubmit();
}
