// Connects the page, and says in the lobby who has it open.
const token = document.querySelector("meta[name='csrf-token']").content;
window.liveSocket = new LiveView.LiveSocket("/live", Phoenix.Socket, { params: { _csrf_token: token } });
window.liveSocket.connect();

// One name a browser: its tabs are one person in the lobby.
const name = localStorage.getItem("name") ?? `guest-${Math.random().toString(36).slice(2, 6)}`;
localStorage.setItem("name", name);
const socket = new Phoenix.Socket("/socket");
socket.connect();
const lobby = socket.channel("lobby", { name });
// The official client's own idea of who is here, for a reader at the console: the page shows the server's.
window.present = new Phoenix.Presence(lobby);
lobby.join();
