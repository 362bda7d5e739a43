"use strict";

const MEGABYTE = 2 ** 20;
const count = new Intl.NumberFormat("en");
const decimal = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const byId = (id) => document.getElementById(id);
const main = byId("main");
let asking = null;
let maskAddress = "";

function show(state, status, problem = "") {
  main.dataset.state = state;
  byId("status").textContent = status;
  byId("problem").textContent = problem;
}

function fail(problem) {
  byId("result").hidden = true;
  show("failed", "", problem);
}

/** What the server says of the file; the answer to an earlier one is not waited for any more. */
async function segment(file) {
  asking?.abort();
  if (file.size > main.dataset.megabytes * MEGABYTE) {
    fail(`${file.name} has ${count.format(Math.ceil(file.size / MEGABYTE))} MB; at most ${main.dataset.megabytes} MB are taken.`);
    return;
  }
  const own = (asking = new AbortController());
  const start = performance.now();
  show("busy", `Segmenting ${file.name} …`);
  try {
    const response = await fetch("predict", { method: "POST", body: file, signal: own.signal });
    const answer = await response.json().catch(() => ({ error: `The server answered with ${response.status}` }));
    if (response.status === 415) throw new Error(`${file.name} is no PNG, JPEG, TIFF, BMP, GIF or WebP image.`);
    if (!response.ok) throw new Error(answer.error);
    fill(file.name, answer, (performance.now() - start) / 1000);
  } catch (error) {
    if (own.signal.aborted) return;
    fail(error instanceof TypeError ? "The server does not answer; is it still running?" : error.message);
  }
}

function fill(name, answer, spent) {
  byId("picture").src = `data:image/jpeg;base64,${answer.picture}`;
  byId("overlay").src = `data:image/png;base64,${answer.overlay}`;
  byId("picture").alt = name;
  const found = answer.classes.filter((each) => each.pixels);
  byId("overlay").alt = found.length ? `marked: ${found.map((each) => each.name).join(", ")}` : "nothing marked";
  byId("summary").textContent = found.length ? `Found: ${found.map((each) => each.name).join(", ")}` : "Nothing found";
  byId("classes").replaceChildren(...answer.classes.map(row));
  byId("facts").textContent = `${count.format(answer.width)} × ${count.format(answer.height)} pixels, ${decimal.format(spent)} s`;
  byId("values").textContent = `A grey PNG of the image's size. Its pixel values: 0 ${answer.model.classes[0]}, ${answer.classes
    .map((each) => `${each.value} ${each.name}`)
    .join(", ")}. They are numbers, so that most viewers show it almost black.`;
  offer(answer.mask, `${name.replace(/\.[^.]*$/, "")}_mask.png`);
  byId("result").hidden = false;
  show("done", `${name} is segmented.`);
}

function row(each) {
  const swatch = document.createElement("span");
  swatch.className = "swatch";
  swatch.style.backgroundColor = each.colour;
  const name = document.createElement("th");
  name.scope = "row";
  name.append(swatch, each.name);
  const share = each.pixels && each.share < 0.0005 ? "< 0.1" : decimal.format(100 * each.share);
  const cells = [`${share} %`, count.format(each.pixels), count.format(each.components)].map((text) => {
    const cell = document.createElement("td");
    cell.textContent = text;
    return cell;
  });
  const made = document.createElement("tr");
  made.append(name, ...cells);
  return made;
}

/** Let the link save the mask, and forget the one before. */
function offer(base64, name) {
  URL.revokeObjectURL(maskAddress);
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  maskAddress = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  byId("mask").href = maskAddress;
  byId("mask").download = name;
}

function fade() {
  const strength = byId("opacity").value;
  byId("overlay").style.opacity = strength / 100;
  byId("strength").textContent = `${strength} %`;
  byId("opacity").setAttribute("aria-valuetext", `${strength} %`);
}

function drop(event) {
  event.preventDefault();
  byId("drop").classList.remove("over");
  if (event.dataTransfer.files.length) segment(event.dataTransfer.files[0]);
}

byId("file").addEventListener("change", (event) => {
  if (event.target.files.length) segment(event.target.files[0]);
  event.target.value = "";
});
byId("opacity").addEventListener("input", fade);
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  byId("drop").classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) byId("drop").classList.remove("over");
});
document.addEventListener("drop", drop);
fade();
