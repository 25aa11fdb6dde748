// What is said in a room, over the best path to each player.

import { Mesh } from "./mesh.js";

/**
 * Follows the session plans of a room and passes texts on: over data channels where they are open,
 * through the server to everybody else.
 *
 * Events: `change` when a path or a plan is another one, and `text` with `from`, `text` and `path`.
 *
 * @param fish a SignalFish
 * @param options those of Mesh
 */
export class Session extends EventTarget {
    plan = null; // the SessionPlan, or null before the game and on servers of version 2
    reports = new Map(); // whether WebRTC works for others, by id, as far as they say
    #fish;
    #options;
    #mesh = null;
    #reported;

    constructor(fish, options) {
        super();
        this.#fish = fish;
        this.#options = options;
        const follow = (type, take) => fish.addEventListener(type, ({ detail }) => take(detail));
        follow("SessionPlan", (plan) => this.#follow(plan));
        follow("Signal", (signal) => this.#mesh?.take(signal));
        follow("PlayerLeft", ({ player_id }) => this.#forget(player_id));
        follow("PeerTransportStatus", (status) => this.#note(status));
        follow("GameData", (data) => this.#receive(data));
        follow("close", () => this.#emit("change"));
    }

    /**
     * How texts reach a player now: "webrtc", "relay", "connecting" (relayed until that is done), or
     * "lost" if there is neither a channel nor a server.
     */
    path(id) {
        const state = this.#mesh?.state(id);
        if (state === "open") {
            return "webrtc";
        }
        return this.#fish.connected ? (state === "connecting" ? state : "relay") : "lost";
    }

    /** Say something to everybody. Returns to how many directly, and to how many by the relay. */
    send(text) {
        const others = [...this.#fish.players.keys()].filter((id) => id !== this.#fish.id);
        const to = others.filter((id) => !this.#mesh?.send(id, text));
        const relayed = this.#fish.connected ? to.length : 0;
        if (relayed) {
            // The server sends this to everybody; those who have it already are not named.
            this.#fish.send("GameData", { data: { text, to } });
        }
        return { webrtc: others.length - to.length, relay: relayed };
    }

    #follow(plan) {
        this.#mesh?.close();
        this.plan = plan;
        const signal = (to, it) => {
            this.#fish.send("Signal", { to, generation: plan.generation, signal: it });
        };
        this.#mesh = new Mesh(plan, signal, this.#options);
        this.#mesh.addEventListener("change", () => this.#changed());
        this.#mesh.addEventListener("message", ({ detail }) => {
            this.#emit("text", { ...detail, path: "webrtc" });
        });
        this.#emit("change");
    }

    #changed() {
        const works = this.#mesh?.works;
        if (works !== undefined && works !== this.#reported) {
            this.#reported = works;
            this.#fish.send("TransportStatus", { transport: "webrtc", connected: works });
        }
        this.#emit("change");
    }

    #note({ peer_id, transport, connected }) {
        if (transport === "webrtc") {
            this.reports.set(peer_id, connected);
            this.#emit("change");
        }
    }

    #forget(id) {
        this.reports.delete(id);
        this.#mesh?.drop(id);
        this.#changed();
    }

    #receive({ from_player, data }) {
        if (!data?.to || data.to.includes(this.#fish.id)) {
            const text = String(data?.text ?? JSON.stringify(data)); // of another kind of client
            this.#emit("text", { from: from_player, text, path: "relay" });
        }
    }

    #emit(type, detail) {
        this.dispatchEvent(new CustomEvent(type, { detail }));
    }
}
