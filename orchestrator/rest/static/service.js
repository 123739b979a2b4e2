// Calls of the gateway. What fails is thrown as a problem: {title, detail, status}; no status means no answer at all.

const UNREACHABLE = { title: "The server cannot be reached", detail: "Check the connection and try again." };

export async function ask(path, method = "GET", { body: sent, headers = {} } = {}) {
  let answer;
  try {
    const content = sent === undefined ? {} : { body: JSON.stringify(sent) };
    answer = await fetch(path, { method, headers: { Accept: "application/json", ...headers }, ...content });
  } catch {
    throw UNREACHABLE;
  }
  const body = await answer.text();
  if (!answer.ok) throw problemOf(answer.status, body);
  return body ? JSON.parse(body) : null;
}

// XMLHttpRequest, because fetch does not tell how much of an upload has gone.
export function sendClip(form, idempotencyKey, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/v1/dubs");
    request.setRequestHeader("Idempotency-Key", idempotencyKey);
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded / event.total));
    request.addEventListener("error", () => reject(UNREACHABLE));
    request.addEventListener("load", () => {
      if (request.status === 202) resolve(JSON.parse(request.responseText));
      else reject(problemOf(request.status, request.responseText));
    });
    request.send(form);
  });
}

function problemOf(status, body) {
  try {
    const { title, detail } = JSON.parse(body);
    return { title, detail, status };
  } catch {
    return { title: `The server answered ${status}`, detail: "", status };
  }
}

const names = new Intl.DisplayNames(["en"], { type: "language" });

export function languageName(code) {
  try {
    return names.of(code);
  } catch {
    return code;
  }
}
