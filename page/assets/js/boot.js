// The first script of the page: it unpacks the program, which is packed like the data, and runs it.

/** @param {string} text base64 @returns {Uint8Array} */
function fromBase64(text) {
  const binary = atob(text), bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The text that a block of the page holds, packed. @param {string} id @returns {Promise<string>} */
async function inflate(id) {
  const block = document.getElementById(id)?.textContent || "";
  const stream = new Blob([/** @type {BlobPart} */ (fromBase64(block))]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/** The static page stays, and says so. @param {unknown} error */
function stayStill(error) {
  document.documentElement.classList.remove("js");
  const note = document.getElementById("static-note"), isOld = typeof DecompressionStream === "undefined";
  if (note) { note.hidden = false; note.textContent = "This browser cannot show the page live, so it shows the end of the run. " + (isOld ? "It is too old: any browser since 2023 can." : String(error)); }
  if (!isOld) throw error;
}

inflate("program").then((program) => {
  const script = document.createElement("script");
  script.textContent = program;
  document.body.append(script);
}).catch(stayStill);
