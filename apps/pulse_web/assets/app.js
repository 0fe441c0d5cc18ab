// Starts the live views of a page. Everything else that a page does comes from the server.
(function () {
  "use strict";
  const token = document.querySelector("meta[name='csrf-token']");
  if (!token || !window.LiveView) return;

  const hooks = {
    // Keeps a list's newest entry in view of people who read along, and leaves those alone who scrolled away.
    Follow: {
      mounted() { this.el.scrollTop = 0; },
    },
    // Writes an instant (data-at, milliseconds since 1970) in the reader's own time zone.
    LocalTime: {
      mounted() { this.show(); },
      updated() { this.show(); },
      show() {
        const at = new Date(Number(this.el.dataset.at));
        if (!Number.isNaN(at.getTime())) {
          this.el.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
        }
      },
    },
    // Brings the first field that the server refuses to whoever has just tried to send the form.
    FirstError: {
      mounted() { this.handleEvent("first-error", ({ form }) => {
        // The client gives the focus back to what had it before the form was sent, once this event is through: after that.
        if (form === this.el.id) setTimeout(() => this.show());
      }); },
      show() {
        // Something was typed or chosen after the form was sent: the answer stands on the page when that is answered too.
        const lock = this.el.getAttribute("data-phx-ref-lock");
        if (lock === null) this.el.querySelector("[aria-invalid='true']")?.focus();
        else this.el.addEventListener(`phx:undo-lock:${lock}`, () => setTimeout(() => this.show()), { once: true });
      },
    },
  };

  const socket = new LiveView.LiveSocket("/live", Phoenix.Socket, {
    params: { _csrf_token: token.content },
    hooks,
  });

  // What can't be undone asks first. The capture phase comes before the live view's own listeners.
  const confirms = (event) => {
    const asked = event.target.closest && event.target.closest("[data-confirm]");
    if (asked && event.type === (asked.tagName === "FORM" ? "submit" : "click")
      && !window.confirm(asked.dataset.confirm)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  };
  // A press on a button takes the focus from a field, and what is then said beside that field moves the button: the release
  // meets something else, and the browser sees no click on the button. Where the pointer has stayed, it is clicked all the same.
  const STAYED = 8;
  let press = null;
  window.addEventListener("pointerdown", ({ target, clientX: x, clientY: y }) => {
    const button = target.closest?.("button");
    press = button && { button, x, y };
  }, true);
  window.addEventListener("click", (event) => {
    const held = press;
    press = null;
    if (!held || held.button.contains(event.target)) return;
    if (Math.hypot(event.clientX - held.x, event.clientY - held.y) > STAYED) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    held.button.click();
  }, true);
  window.addEventListener("click", confirms, true);
  window.addEventListener("submit", confirms, true);

  socket.connect();
  // For a reader at the browser's console: liveSocket.enableDebug(), liveSocket.enableLatencySim(200).
  window.liveSocket = socket;
})();
