// The labeling page. `page.py` embeds this file, and the data in JSON.
"use strict";

const CANNOT_TELL = "?";
const element = (id) => document.getElementById(id);
const page = JSON.parse(element("page-data").textContent);
const { classes, images } = page;
const numDigits = classes[0].key.length; // more than 1: digits are typed in a row

const isServed = page.is_served; // answers go to a server, as they are given
let answers = images.map((image) => image.label); // "" where there is none
let saved = toCsv(); // the last file that was saved
let current = 0; // position of the image shown
let typed = ""; // first digits of a class's number
const changes = []; // what undo takes back

// ---------------------------------------------------------------- answers

function toCsv() {
  // Names are quoted, and made safe for spreadsheets, by Python.
  const cells = new Map(classes.map(({ name, cell }) => [name, cell]));
  cells.set("", "").set(CANNOT_TELL, CANNOT_TELL);
  const lines = images.map((image, i) => image.cells + cells.get(answers[i]));
  return [page.header, ...lines, ""].join("\r\n");
}

function setAnswer(position, answer) {
  changes.push([position, answers[position]]);
  answers[position] = answer;
  keep();
  send(position);
}

function answer(name) {
  const position = current;
  setAnswer(position, name);
  const next = nextToAnswer(position);
  const said = `Image ${position + 1}: ${describe(name)}.`;
  if (next === null) {
    show(position, `${said} ${whatIsLeft()}`);
  } else {
    show(next, said);
  }
}

function clearAnswer() {
  if (answers[current]) {
    setAnswer(current, "");
    show(current, `Image ${current + 1}: answer cleared.`);
  }
}

function undo() {
  if (changes.length) {
    const [position, before] = changes.pop();
    answers[position] = before;
    keep();
    send(position);
    show(position, `Undone. Image ${position + 1}: ${describe(before)}.`);
  }
}

function whatIsLeft() {
  if (!isServed) return "All images are answered: save queries.csv.";
  if (page.can_train) return "All images are answered: train and ask again.";
  return "This was the last image: close the page, and end the command with Ctrl-C.";
}

function nextToAnswer(position) {
  if (!page.is_review) return nextUnanswered(position);
  return position + 1 < images.length ? position + 1 : null; // labels are seen, too
}

function nextUnanswered(position) {
  for (let step = 1; step <= images.length; step++) {
    const candidate = (position + step) % images.length;
    if (!answers[candidate]) return candidate;
  }
  return null;
}

function describe(name) {
  return name === CANNOT_TELL ? "can’t tell" : name || "not answered";
}

function save() {
  if (isServed) {
    if (page.can_train) train();
    return;
  }
  const csv = toCsv();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
  link.download = "queries.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  saved = csv;
  keep();
  show(current, `Saved as queries.csv: ${numAnswered()} of ${images.length} answered.`);
}

// ------------------------------------------------- answers to the server

const unsent = new Map(); // the latest answer of images that the server lacks
let numSent = 0; // answers that were given on this page
let isSending = false;

function send(position) {
  if (!isServed) return;
  const { sha256 } = images[position];
  setTrouble(sha256, "");
  unsent.delete(sha256); // to the end
  unsent.set(sha256, answers[position]);
  numSent++;
  sendAll();
}

async function sendAll() {
  if (isSending) return;
  isSending = true;
  while (unsent.size) {
    const [sha256, label] = unsent.entries().next().value;
    const response = await request("answer", { sha256, label });
    const isLatest = unsent.get(sha256) === label;
    if (isLatest) unsent.delete(sha256);
    if (isLatest && response && !response.ok) refuse(sha256, response.reason);
    if (!response) {
      if (isLatest) unsent.set(sha256, label); // the others are tried before
      await wait(1000);
    }
  }
  setTrouble("answer", "");
  isSending = false;
}

async function allSent() {
  while (unsent.size) await wait(100);
}

// Return the server's response, or null after an error of the server, which is shown.
async function request(name, content) {
  const fail = (reason) => setTrouble(name, `${reason}: trying again. ${KEEP_OPEN}`);
  const late = setTimeout(() => fail(AWAY), 5000);
  let reason = AWAY;
  try {
    const response = await fetch(name, content && {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(content),
    });
    const { ok, status } = response;
    const said = await response.json().catch(() => null);
    if (!ok) reason = said?.error ?? `The server reports error ${status}`;
    if (ok ? said : status < 500) return { ok, said, reason };
  } catch {
    // no connection
  } finally {
    clearTimeout(late);
  }
  fail(reason);
  return null;
}

const AWAY = "The server does not answer";
const KEEP_OPEN = "Keep this page open: it keeps answers that are not stored.";

// Return what the server says, as soon as it does; null if it refuses.
async function requestUntilAnswered(name, content) {
  let response = null;
  while (!(response = await request(name, content))) {
    element("training").hidden = true;
    await wait(1000);
  }
  const ended = "This page is of a command that has ended: open the new address.";
  setTrouble(name, response.ok ? "" : ended);
  return response.ok ? response.said : null;
}

// An answer that the server does not accept is none.
function refuse(sha256, reason) {
  const position = images.findIndex((image) => image.sha256 === sha256);
  answers[position] = "";
  const text = `Image ${position + 1}: the answer is not stored (${reason}). Answer again.`;
  setTrouble(sha256, text);
  showAnswers();
}

// What is wrong with the server or an answer: it stays until it is mended.
const troubles = new Map();

function setTrouble(key, text) {
  if ((troubles.get(key) ?? "") === text) return;
  if (text) troubles.set(key, text);
  else troubles.delete(key);
  element("trouble").hidden = !troubles.size;
  element("trouble").textContent = [...new Set(troubles.values())].join("\n");
}

function wait(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

let isWaiting = false; // for a training

async function train(isStarted = false) {
  if (isWaiting) return;
  isWaiting = true;
  element("save").disabled = true;
  await allSent(); // the model is trained on all answers
  if (isStarted || (await requestUntilAnswered("train", {}))) await waitForTraining();
  isWaiting = false;
  element("save").disabled = false;
}

async function waitForTraining() {
  for (;;) {
    const state = await requestUntilAnswered("state");
    element("training").hidden = !state?.is_training;
    if (!state) return;
    element("training-bar").value = state.progress;
    if (!state.is_training) {
      if (state.message) sessionStorage.setItem("message", state.message);
      await allSent();
      location.reload();
      return;
    }
    await wait(500);
  }
}

let isRefreshing = false;

async function refresh() {
  // Another tab may have answered.
  if (isRefreshing || isWaiting) return;
  isRefreshing = true;
  let state, before;
  do {
    await allSent();
    before = numSent;
    state = await requestUntilAnswered("state");
  } while (state && numSent !== before); // an answer given meanwhile is newer
  isRefreshing = false;
  if (!state) return;
  if (state.query !== page.query) {
    location.reload(); // trained in another tab
    return;
  }
  answers = images.map(({ sha256 }) => state.labels[sha256] ?? "");
  showAnswers();
  if (state.is_training) train(true);
}

// ------------------------------------------- answers survive a reload

function keep() {
  if (isServed) return true;
  try {
    localStorage.setItem(page.storage_key, JSON.stringify({ answers, saved }));
  } catch {
    return false; // not allowed, or full: leaving the page warns
  }
  return true;
}

function restore() {
  if (isServed) return;
  let kept = null;
  try {
    kept = JSON.parse(localStorage.getItem(page.storage_key));
  } catch {
    return;
  }
  if (kept?.answers?.length === images.length) ({ answers, saved } = kept);
}

// ------------------------------------------------------------ what is shown

function numAnswered() {
  return answers.filter(Boolean).length;
}

function show(position, message = "") {
  const image = images[position];
  current = position;
  typed = "";
  element("message").textContent = message;
  element("position").textContent = `${position + 1} of ${images.length}`;
  element("file").textContent = image.file;
  showImage(position);
  zoom(1);
  showPicture("example-image", image.example, image.is_small);
  showSwitches();
  showAnswers();
}

// The pictures around the current one, decoded: a large photograph takes a while.
const pictures = new Map();
const numAhead = 3;

function picture(position) {
  if (!pictures.has(position)) {
    const { image, is_small } = images[position];
    const img = new Image();
    img.id = "image";
    img.alt = "Image to label";
    img.src = image;
    img.classList.toggle("small", is_small);
    img.draggable = false; // dragging moves the enlarged image
    img.decode().catch(() => {}); // a broken image shows its text
    pictures.set(position, img);
  }
  return pictures.get(position);
}

function showImage(position) {
  element("image").replaceWith(picture(position));
  for (const other of [...pictures.keys()]) {
    if (other < position - 1 || other > position + numAhead) pictures.delete(other);
  }
  if (!isServed) return; // the pictures are in the page
  const last = Math.min(position + numAhead, images.length - 1);
  for (let next = position + 1; next <= last; next++) picture(next);
}

// Enlarge the image. The point that stays in its place is given in shares of the
// width and height: 0 shows the left or upper edge, 1 the right or lower one.
let scale = 1;
let fixed = [0.5, 0.5];

function zoom(factor, point = [0.5, 0.5]) {
  scale = factor;
  fixed = point.map((share) => Math.min(1, Math.max(0, share)));
  const { style } = element("image");
  style.transformOrigin = fixed.map((share) => `${100 * share}%`).join(" ");
  style.transform = factor === 1 ? "" : `scale(${factor})`;
  element("frame").classList.toggle("zoomed", factor !== 1);
}

// Move the enlarged image, by shares of the frame.
function pan(...steps) {
  if (scale !== 1) zoom(scale, fixed.map((share, i) => share - steps[i] / (scale - 1)));
}

// What is under the pointer stays there.
function onWheel(event) {
  event.preventDefault();
  const box = element("frame").getBoundingClientRect();
  const factor = Math.min(16, Math.max(1, scale * (event.deltaY < 0 ? 1.25 : 0.8)));
  const pointer = [
    (event.clientX - box.left) / box.width,
    (event.clientY - box.top) / box.height,
  ];
  const point = pointer.map((share, i) => {
    const inImage = fixed[i] + (share - fixed[i]) / scale;
    return (factor * inImage - share) / (factor - 1);
  });
  zoom(factor, factor === 1 ? undefined : point);
}

function onDrag({ isPrimary, buttons, clientX, clientY, pointerId, type }) {
  const frame = element("frame");
  if (!isPrimary || scale === 1) return;
  if (type === "pointerdown") frame.setPointerCapture(pointerId);
  else if (buttons === 1 && frame.hasPointerCapture(pointerId)) {
    const box = frame.getBoundingClientRect();
    pan((clientX - dragged[0]) / box.width, (clientY - dragged[1]) / box.height);
  }
  dragged = [clientX, clientY];
}

let dragged = [0, 0]; // where the pointer was

function showPicture(id, address, isSmall) {
  const img = element(id);
  if (address) img.src = address;
  else img.removeAttribute("src");
  img.classList.toggle("small", isSmall);
}

function showSwitches() {
  const image = images[current];
  element("example").hidden = !element("show-example").checked || !image.example;
  const isShown = element("show-prediction").checked;
  element("prediction").textContent =
    isShown && image.predicted ? `· predicted ${image.predicted}` : "";
  element("example-prediction").textContent =
    isShown && image.example_predicted ? `· predicted ${image.example_predicted}` : "";
}

function showAnswers() {
  const count = numAnswered();
  element("bar").max = images.length;
  element("bar").value = count;
  element("count").textContent = `${count} of ${images.length} answered`;
  element("save").classList.toggle(
    "primary",
    isServed ? count === images.length : toCsv() !== saved,
  );
  element("previous").disabled = current === 0;
  element("next").disabled = current === images.length - 1;
  element("undo").disabled = !changes.length;
  element("clear").disabled = !answers[current];
  for (const button of document.querySelectorAll(".answer")) {
    button.setAttribute("aria-pressed", button.dataset.name === answers[current]);
  }
  showMatches();
  [...element("overview").children].forEach(showInOverview);
  const strip = element("overview");
  const { offsetLeft, offsetWidth } = strip.children[current];
  strip.scrollLeft = offsetLeft - (strip.clientWidth - offsetWidth) / 2;
}

// What each button of the overview shows. Drawing a thousand of them takes a while.
const shown = [];

function showInOverview(button, i) {
  const name = answers[i];
  const isCurrent = i === current;
  if (shown[i]?.name === name && shown[i].isCurrent === isCurrent) return;
  shown[i] = { name, isCurrent };
  button.lastChild.textContent = name || "\u00a0";
  button.classList.toggle("answered", name !== "" && name !== CANNOT_TELL);
  button.classList.toggle("unsure", name === CANNOT_TELL);
  button.setAttribute("aria-label", `Image ${i + 1}: ${describe(name)}`);
  button.setAttribute("aria-current", isCurrent);
  button.tabIndex = isCurrent ? 0 : -1; // the arrow keys lead to the others
}

function showMatches() {
  const part = element("filter").value.trim().toLowerCase();
  [...element("classes").children].forEach((button, i) => {
    button.hidden = !classes[i].name.toLowerCase().includes(part);
    button.classList.toggle("other", !classes[i].key.startsWith(typed));
  });
}

function move(step) {
  const position = current + step;
  if (position >= 0 && position < images.length) show(position);
}

// ------------------------------------------------------------------- keys

const KEYS = {
  ArrowLeft: () => move(-1),
  ArrowRight: () => move(1),
  Backspace: () => (typed ? typeDigits("") : clearAnswer()),
  Delete: clearAnswer,
  Escape: () => typeDigits(""),
  "?": () => answer(CANNOT_TELL),
  "/": () => element("filter").focus(),
  a: () => element("show-example").click(),
  p: () => element("show-prediction").click(),
  s: save,
  u: undo,
  z: () => zoom(scale === 1 ? 3 : 1),
};

const PANS = {
  ArrowLeft: () => pan(0.25, 0),
  ArrowRight: () => pan(-0.25, 0),
  ArrowUp: () => pan(0, 0.25),
  ArrowDown: () => pan(0, -0.25),
};

function typeDigits(digits) {
  typed = digits;
  const matches = classes.filter(({ key }) => key.startsWith(digits));
  if (!matches.length) {
    typed = "";
    element("message").textContent = `No class has the number ${digits}.`;
  } else if (digits.length === numDigits) {
    answer(matches[0].name);
  } else {
    element("message").textContent = digits && `Number ${digits}…`;
  }
  showMatches();
}

function toDigit({ key, code, shiftKey }) {
  if (/^[0-9]$/.test(key)) return key;
  // On a French keyboard, digits need the shift key; here they do not.
  return shiftKey ? undefined : /^Digit([0-9])$/.exec(code)?.[1];
}

function onKey(event) {
  if (event.altKey || event.target === element("filter")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.repeat && !key.startsWith("Arrow")) {
    // A key held down must not answer the images that follow.
    if (key === "Enter" || key === " ") event.preventDefault();
    return;
  }
  let action = event.shiftKey && scale !== 1 && PANS[key] ? PANS[key] : KEYS[key];
  const digit = toDigit(event);
  if (event.ctrlKey || event.metaKey) {
    action = { s: save, z: undo }[key];
  } else if (digit) {
    action = () => typeDigits(typed + digit);
  }
  if (action) {
    event.preventDefault();
    action();
  }
}

function onFilterKey(event) {
  const filter = element("filter");
  if (event.key === "Enter") {
    const first = [...element("classes").children].find((button) => !button.hidden);
    filter.value = "";
    first?.click();
  } else if (event.key === "Escape") {
    filter.value = "";
    filter.blur();
  }
  showMatches();
}

// ------------------------------------------------------------------- start

function addElement(parent, tag, text = "") {
  const child = document.createElement(tag);
  child.textContent = text; // never HTML: names are data
  parent.append(child);
  return child;
}

function addClassButton({ name, key }) {
  const button = addElement(element("classes"), "button");
  button.className = "answer";
  button.dataset.name = name;
  addElement(button, "kbd", key);
  addElement(button, "span", name);
  button.addEventListener("click", (event) => {
    answer(name);
    if (event.detail) button.blur(); // by a mouse: the focus would look like an answer
  });
}

function addThumbnail(image, position) {
  const button = addElement(element("overview"), "button");
  const img = addElement(button, "img");
  img.loading = "lazy";
  img.src = image.thumbnail ?? image.image;
  img.alt = "";
  img.className = image.is_small ? "small" : "";
  addElement(button, "span");
  button.title = image.file;
  button.addEventListener("click", () => show(position));
}

function start() {
  classes.forEach(addClassButton);
  images.forEach(addThumbnail);
  const areShort = classes.every(({ name }) => name.length <= 12);
  element("classes").classList.toggle("narrow", classes.length > 7 && areShort);
  element("search").hidden = numDigits === 1;
  element("example-switch").hidden = !images.some(({ example }) => example);
  element("prediction-switch").hidden = !images.some(({ predicted }) => predicted);
  element("show-example").checked = false; // who labels has no use for it
  element("show-prediction").checked = false;
  element("cannot-tell").dataset.name = CANNOT_TELL;
  const onClick = {
    save,
    undo,
    zoom: () => zoom(scale === 1 ? 3 : 1),
    clear: clearAnswer,
    previous: () => move(-1),
    next: () => move(1),
    "cannot-tell": () => answer(CANNOT_TELL),
    "show-example": showSwitches,
    "show-prediction": showSwitches,
  };
  for (const [id, action] of Object.entries(onClick)) {
    element(id).addEventListener("click", action);
  }
  document.addEventListener("keydown", onKey);
  element("filter").addEventListener("keydown", onFilterKey);
  element("filter").addEventListener("input", showMatches);
  window.addEventListener("beforeunload", (event) => {
    if (isServed ? unsent.size : toCsv() !== saved) event.preventDefault();
  });
  // The same page in another tab: show its answers instead of replacing them.
  window.addEventListener("storage", (event) => {
    if (event.key === page.storage_key) {
      restore();
      show(current);
    }
  });
  element("frame").addEventListener("wheel", onWheel, { passive: false });
  for (const type of ["pointerdown", "pointermove"]) {
    element("frame").addEventListener(type, onDrag);
  }
  document.body.classList.toggle("served", isServed);
  if (isServed) {
    element("save-text").textContent = "Train and ask again";
    element("save").hidden = !page.can_train;
    window.addEventListener("focus", refresh);
    refresh();
  }
  restore();
  const canKeep = keep();
  const first = nextToAnswer(page.is_review ? -1 : images.length - 1) ?? 0;
  const said = isServed ? (sessionStorage.getItem("message") ?? "") : "";
  if (isServed) sessionStorage.removeItem("message");
  show(first, canKeep ? said : "This browser keeps no answers: save before you close it.");
}

start();
