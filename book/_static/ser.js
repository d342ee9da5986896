// One recording at a time; and what scrolls sideways can be reached by keyboard.
document.addEventListener(
  "play",
  (event) => {
    for (const audio of document.querySelectorAll("audio")) {
      if (audio !== event.target) audio.pause();
    }
  },
  true,
);

document.addEventListener("DOMContentLoaded", () => {
  const wide = ".cell_output .text_html, .pst-scrollable-table-container, div.highlight pre";
  for (const element of document.querySelectorAll(wide)) {
    if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
  }
});
