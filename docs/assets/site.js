// Names stay whole in tables; long ones may break behind what joins their words, and nowhere else. A cell is as wide as it
// takes to read its text in a few lines, also where that is wider than the screen: such a table is moved sideways.
const LONG_NAME = 26;
const REM_PER_LETTER = 0.12;
const MOST_REM = { pair: 7, columns: 12 };

for (const code of document.querySelectorAll(".md-typeset :not(pre) > code")) {
  if (code.textContent.length < LONG_NAME) {
    code.classList.add("whole");
    continue;
  }
  for (const node of [...code.childNodes].filter((each) => each.nodeType === Node.TEXT_NODE)) {
    const parts = node.data.split(/(?<=\w[_./=,:({&]+)(?=\w{2})/);
    node.replaceWith(...parts.flatMap((part, i) => (i ? [document.createElement("wbr"), part] : [part])));
  }
}

for (const cell of document.querySelectorAll(".md-typeset table td")) {
  const most = cell.parentElement.children.length > 2 ? MOST_REM.columns : MOST_REM.pair;
  cell.style.minWidth = `${Math.min(most, cell.textContent.length * REM_PER_LETTER)}rem`;
}
