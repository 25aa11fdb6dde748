// The page: a form to join, and a room to talk in.
//
// Parameters of its address: server, name and room fill in the form; patience says for how many
// seconds a peer may try to connect.

import { Session } from "./session.js";
import { SignalFish, explain } from "./signalfish.js";

const GAME = "signalfish-demo";
const PATHS = {
    webrtc: "directly",
    connecting: "connecting…",
    relay: "through the server",
    lost: "not at all",
};
const REPORTS = { true: "says that WebRTC works", false: "says that WebRTC fails", "": "" };
const PHASES = {
    waiting: "Waiting for players.",
    lobby: "Everybody says when they are ready, then the authority starts the game.",
    finalized: "Playing, through the server.",
};

const $ = (id) => document.getElementById(id);
const parameters = new URLSearchParams(location.search);
const form = $("join").elements;
form.server.value = parameters.get("server") ?? `ws://${location.hostname}:3536/v3/ws`;
form.name.value = parameters.get("name") ?? "";
form.room.value = parameters.get("room") ?? "";

addEventListener("error", ({ message }) => say("trouble", message));
addEventListener("unhandledrejection", ({ reason }) => say("trouble", String(reason)));

$("join").onsubmit = async (event) => {
    event.preventDefault();
    $("refusal").textContent = "";
    $("enter").disabled = true;
    let fish;
    try {
        fish = new SignalFish(form.server.value); // throws if that is no address
        play(fish);
        await fish.authenticate(GAME);
        await fish.join({
            game_name: GAME,
            player_name: form.name.value,
            room_code: form.room.value.trim() || undefined,
        });
    } catch (refusal) {
        fish?.close();
        $("refusal").textContent = refusal.message;
        $("enter").disabled = false;
    }
};

/** Let a connection move the page, from the moment in which it has a seat. */
function play(fish) {
    const session = new Session(fish, {
        policy: form.turn_only.checked ? "relay" : "all",
        patience: 1000 * (Number(parameters.get("patience")) || 15),
    });
    const names = new Map(); // of those who have left, too
    const on = (type, react) => fish.addEventListener(type, ({ detail }) => react(detail));
    const show = () => {
        fish.players.forEach(({ id, name }) => names.set(id, name));
        showRoom(fish, session);
    };

    on("RoomJoined", () => {
        document.body.dataset.stage = "room";
        $("ready").onclick = () => fish.send("PlayerReady");
        $("start").onclick = () => fish.send("StartGame");
        $("say").onsubmit = (event) => {
            event.preventDefault();
            const { webrtc, relay } = session.send($("text").value);
            const ways = [webrtc && `${webrtc} directly`, relay && `${relay} through the server`];
            say("own", $("text").value, "You", ways.filter(Boolean).join(", ") || "to nobody");
            $("text").value = "";
        };
        on("Error", (error) => say("trouble", explain(error).message));
        on("GoingAway", () => say("note", "The server is about to stop."));
        on("close", (end) => say("trouble", `The server is gone: ${explain(end).message}`));
        show();
    });
    for (const type of ["PlayerJoined", "AuthorityChanged", "LobbyStateChanged", "GameStarting"]) {
        on(type, show);
    }
    session.addEventListener("change", show);
    on("PlayerJoined", ({ player }) => say("note", `${player.name} is here.`));
    on("PlayerLeft", ({ player_id }) => say("note", `${names.get(player_id)} has left.`));
    on("GameStarting", () => say("note", "The game has started."));
    session.addEventListener("text", ({ detail: { from, text, path } }) => {
        say(path, text, names.get(from), PATHS[path]);
    });
}

function showRoom(fish, session) {
    const { lobby_state, ready_players } = fish.lobby;
    const plan = session.plan;
    const planned = plan && plan.transport !== "relay";
    document.body.dataset.plan = plan ? `${plan.topology}/${plan.transport}` : "";
    $("code").textContent = fish.code;
    $("code").href = `?${new URLSearchParams({ server: form.server.value, room: fish.code })}`;
    $("phase").textContent = planned
        ? `Playing: ${plan.topology} over ${plan.transport}.`
        : PHASES[lobby_state];
    $("lobby").hidden = lobby_state === "finalized";
    $("ready").textContent = ready_players.includes(fish.id) ? "Not ready after all" : "Ready";
    $("start").disabled = !fish.mayStart;
    const row = (player) => {
        const row = element("li", element("b", player.name));
        row.dataset.name = player.name;
        if (player.id === fish.authority) {
            row.append(element("small", "authority"));
        }
        if (lobby_state !== "finalized" && ready_players.includes(player.id)) {
            row.append(element("small", "ready"));
        }
        if (player.id === fish.id) {
            row.append(element("span", "you"));
        } else {
            row.dataset.path = session.path(player.id);
            row.dataset.reports = session.reports.get(player.id) ?? "";
            row.append(element("small", REPORTS[row.dataset.reports]));
            row.append(element("span", PATHS[row.dataset.path]));
        }
        return row;
    };
    $("players").replaceChildren(...[...fish.players.values()].map(row));
}

/** Add a line to the log. Its kind is own, webrtc, relay, note or trouble. */
function say(kind, text, name = "", how = "") {
    const line = element("li", element("b", name), element("span", text), element("small", how));
    line.dataset.kind = kind;
    $("log").append(line);
    line.scrollIntoView({ block: "nearest" });
}

function element(tag, ...children) {
    const made = document.createElement(tag);
    made.append(...children);
    return made;
}
