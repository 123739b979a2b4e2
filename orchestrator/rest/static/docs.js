// The reference of the calls, made of /openapi.json: no other host's scripts are needed to read it.

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function row(name, kind, text) {
  const made = document.createElement("tr");
  const first = document.createElement("td");
  first.append(element("code", name));
  made.append(first, element("td", kind), element("td", text));
  return made;
}

function prose(text) {
  const made = document.createElement("p");
  text.split("`").forEach((piece, index) => made.append(index % 2 === 1 ? element("code", piece) : piece));
  return made;
}

function inputs(call) {
  const rows = (call.parameters ?? []).map((parameter) =>
    row(parameter.name, parameter.in + (parameter.required ? "" : ", optional"), parameter.description ?? ""));
  const form = call.requestBody?.content["multipart/form-data"]?.schema;
  for (const [name, field] of Object.entries(form?.properties ?? {})) {
    const optional = form.required.includes(name) ? "" : ", optional";
    rows.push(row(name, `form field${optional}`, field.description ?? ""));
  }
  return rows;
}

function section(path, method, call) {
  const made = element("section", "", "card call");
  const head = document.createElement("h2");
  head.append(element("span", method.toUpperCase(), "method"), element("code", path), element("span", call.summary ?? ""));
  made.append(head);
  for (const paragraph of (call.description ?? "").split("\n\n")) made.append(prose(paragraph));
  const rows = inputs(call);
  if (rows.length > 0) {
    const table = document.createElement("table");
    table.append(...rows);
    made.append(table);
  }
  return made;
}

const answer = await fetch("/openapi.json");
const { paths } = await answer.json();
const calls = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, call]) => section(path, method, call)));
document.getElementById("calls").replaceChildren(...calls);
