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
        if (form !== this.el.id) return;
        // The form is locked until its answer is done with: what is wrong with its fields stands on the page after that.
        setTimeout(() => this.el.querySelector("[aria-invalid='true']")?.focus());
      }); },
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
  window.addEventListener("click", confirms, true);
  window.addEventListener("submit", confirms, true);

  socket.connect();
  // For a reader at the browser's console: liveSocket.enableDebug(), liveSocket.enableLatencySim(200).
  window.liveSocket = socket;
})();
