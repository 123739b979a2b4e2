// Small helpers of the page. All that comes from outside is shown by textContent, never as markup.

export const $ = (id) => document.getElementById(id);

export function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export function showProblem(problem) {
  $("problem").hidden = problem === null;
  if (problem === null) return;
  $("problem-title").textContent = problem.title ?? "That did not work";
  $("problem-detail").textContent = problem.detail ?? "";
}
