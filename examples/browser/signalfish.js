// The conversation with a signalfish server, in protocol version 3.

const ABILITIES = {
    protocol_version: 3,
    supported_transports: ["relay", "webrtc"],
    supported_topologies: ["relay", "host", "mesh"],
};

/**
 * One connection to a server, and what it has been told about its room.
 *
 * Each message of the server becomes an event of the same name, with its data as `detail`; the
 * fields of this object are up to date by then. After the last one comes `close`.
 */
export class SignalFish extends EventTarget {
    id = null; // our own
    code = null; // of the room
    players = new Map(); // entries by id, ours included, in the order of joining
    authority = null; // an id, or null while nobody is the authority
    lobby = { lobby_state: "waiting", ready_players: [], all_ready: false };
    #socket;
    #opened;

    constructor(url) {
        super();
        this.#socket = new WebSocket(url);
        this.#opened = this.#next("open");
        this.#socket.onopen = () => this.#emit("open");
        this.#socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
        this.#socket.onclose = ({ code, reason }) => this.#emit("close", { code, reason });
    }

    /** Agree on the terms. Resolves to ProtocolInfo. */
    async authenticate(appId) {
        await this.#opened;
        this.send("Authenticate", { app_id: appId, ...ABILITIES });
        return this.#next("ProtocolInfo", "AuthenticationError");
    }

    /** Take a seat; the fields are those of JoinRoom. Resolves to RoomJoined. */
    async join(fields) {
        this.send("JoinRoom", fields);
        return this.#next("RoomJoined", "RoomJoinFailed");
    }

    /** Send a message, or nothing once the connection has ended. */
    send(type, data) {
        if (this.connected) {
            this.#socket.send(JSON.stringify({ type, data }));
        }
    }

    close() {
        this.#socket.close();
    }

    get connected() {
        return this.#socket.readyState === WebSocket.OPEN;
    }

    get mayStart() {
        const { lobby_state, all_ready } = this.lobby;
        const ours = this.authority === null || this.authority === this.id;
        return lobby_state !== "finalized" && all_ready && ours;
    }

    /** The data of the next message of a type, unless a refusal or the end comes first. */
    #next(type, ...refusals) {
        return new Promise((resolve, reject) => {
            const once = { once: true };
            this.addEventListener(type, ({ detail }) => resolve(detail), once);
            for (const refusal of [...refusals, "Error", "close"]) {
                this.addEventListener(refusal, ({ detail }) => reject(explain(detail)), once);
            }
        });
    }

    #emit(type, detail) {
        this.dispatchEvent(new CustomEvent(type, { detail }));
    }

    #take({ type, data }) {
        this.#remember(type, data);
        this.#emit(type, data);
    }

    #remember(type, data) {
        switch (type) {
            case "RoomJoined":
                this.id = data.player_id;
                this.code = data.room_code;
                this.players.clear();
                data.current_players.forEach((entry) => this.#seat(entry));
                this.authority = data.current_players.find((one) => one.is_authority)?.id ?? null;
                this.lobby = { ...data, all_ready: false }; // we have only just come
                break;
            case "PlayerJoined":
                this.#seat(data.player);
                break;
            case "PlayerLeft":
                this.players.delete(data.player_id);
                break;
            case "AuthorityChanged":
                this.authority = data.authority_player;
                break;
            case "LobbyStateChanged":
                this.lobby = data;
                break;
            case "GameStarting":
                this.lobby = { ...this.lobby, lobby_state: "finalized" };
                break;
            case "DeliveryReport":
                for (const { from_player, from_seq, to_seq } of data.gaps ?? []) {
                    for (let seq = from_seq; seq <= to_seq; seq += 1) {
                        this.players.get(from_player).gaps.add(seq);
                    }
                }
                break;
            case "GameData":
                this.#settle(this.players.get(data.from_player), data);
        }
    }

    #seat(entry) {
        this.players.set(entry.id, { ...entry, gaps: new Set() });
    }

    /** What is missing has been reported before. In version 2 there are no numbers. */
    #settle(player, { seq, epoch }) {
        const expected = player.seq + 1;
        do {
            player.seq += 1;
        } while (player.seq < seq && player.gaps.delete(player.seq));
        if (seq !== undefined && (player.seq !== seq || player.epoch !== epoch)) {
            const numbers = `${epoch}/${seq} instead of ${player.epoch}/${expected}`;
            throw new Error(`Game data of ${player.name} has the number ${numbers}`);
        }
    }
}

/** What a refusal, or the end of the connection, says to people. */
export function explain({ message, reason, error, error_code, code }) {
    const text = message || reason || error || "No connection to the server";
    return new Error(`${text} (${error_code ?? code})`);
}
