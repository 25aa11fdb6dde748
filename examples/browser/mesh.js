// Data channels to the peers of one session plan.

/**
 * Connects to the peers that a SessionPlan lists. A new plan takes a new mesh.
 *
 * Events: `change` when the state of a peer is another one, and `message` with `from` and `text`.
 *
 * @param plan the SessionPlan
 * @param signal called with the id of a peer and what it should be sent
 * @param policy "all", or "relay" to connect through TURN servers only
 * @param patience milliseconds that a peer has for opening its channel
 */
export class Mesh extends EventTarget {
    #generation;
    #peers = new Map();

    constructor(plan, signal, { policy = "all", patience = 15000 } = {}) {
        super();
        this.#generation = plan.generation;
        const config = { iceServers: plan.ice_servers ?? [], iceTransportPolicy: policy };
        for (const { player_id: id, initiate } of plan.transport === "webrtc" ? plan.peers : []) {
            const peer = new Peer(config, patience, (it) => signal(id, it));
            peer.onchange = () => this.dispatchEvent(new Event("change"));
            peer.ontext = (text) => {
                this.dispatchEvent(new CustomEvent("message", { detail: { from: id, text } }));
            };
            this.#peers.set(id, peer);
            if (initiate) {
                peer.call();
            }
        }
    }

    /** "connecting", "open", "failed", or undefined for somebody who is no peer. */
    state(id) {
        return this.#peers.get(id)?.state;
    }

    /** Whether WebRTC works: with anybody, with nobody, or undefined while that is open. */
    get works() {
        const states = [...this.#peers.values()].map((peer) => peer.state);
        if (states.includes("open")) {
            return true;
        }
        return states.length && !states.includes("connecting") ? false : undefined;
    }

    /** Take in a Signal. One that belongs to another plan, or to nobody here, is ignored. */
    take({ from, generation, signal }) {
        if (generation === this.#generation) {
            this.#peers.get(from)?.take(signal);
        }
    }

    /** Send to a peer, if its channel is open. Returns whether it was. */
    send(id, text) {
        return this.#peers.get(id)?.send(text) ?? false;
    }

    drop(id) {
        this.#peers.get(id)?.close();
        this.#peers.delete(id);
    }

    close() {
        [...this.#peers.keys()].forEach((id) => this.drop(id));
    }
}

class Peer {
    state = "connecting";
    #connection;
    #channel;
    #signal;
    #timer;
    #early = []; // candidates that came before the description that they belong to
    #work = Promise.resolve(); // one signal after the other

    constructor(config, patience, signal) {
        this.#signal = signal;
        this.#connection = new RTCPeerConnection(config);
        this.#connection.onicecandidate = ({ candidate }) => {
            if (candidate) {
                signal({ IceCandidate: JSON.stringify(candidate) });
            }
        };
        this.#connection.onconnectionstatechange = () => {
            if (this.#connection.connectionState === "failed") {
                this.#become("failed");
            }
        };
        // Both sides know this channel without being told of it.
        this.#channel = this.#connection.createDataChannel("game", { negotiated: true, id: 0 });
        this.#channel.onopen = () => this.#become("open");
        this.#channel.onclose = () => this.#become("failed");
        this.#channel.onmessage = ({ data }) => this.ontext(String(data));
        // Where no way is found the browser may look for one for ever, without a failure.
        this.#timer = setTimeout(() => this.#become("failed"), patience);
    }

    call() {
        this.#queue(() => this.#describe("Offer"));
    }

    take(signal) {
        this.#queue(() => this.#apply(signal));
    }

    send(text) {
        const open = this.#channel.readyState === "open";
        if (open) {
            this.#channel.send(text);
        }
        return open;
    }

    close() {
        clearTimeout(this.#timer);
        this.state = "failed";
        this.#connection.close();
    }

    #queue(step) {
        this.#work = this.#work
            .then(() => this.state !== "failed" && step())
            .catch((error) => {
                console.warn("A signal led nowhere:", error);
                this.#become("failed");
            });
    }

    async #describe(kind) {
        await this.#connection.setLocalDescription();
        this.#signal({ [kind]: this.#connection.localDescription.sdp });
    }

    async #apply({ Offer, Answer, IceCandidate }) {
        if (IceCandidate !== undefined) {
            this.#early.push(JSON.parse(IceCandidate));
        } else if (Offer !== undefined) {
            await this.#connection.setRemoteDescription({ type: "offer", sdp: Offer });
            await this.#describe("Answer");
        } else {
            await this.#connection.setRemoteDescription({ type: "answer", sdp: Answer });
        }
        while (this.#connection.remoteDescription && this.#early.length) {
            await this.#connection.addIceCandidate(this.#early.shift());
        }
    }

    #become(state) {
        if (this.state === state || this.state === "failed") {
            return;
        }
        clearTimeout(this.#timer);
        if (state === "failed") {
            this.close();
        }
        this.state = state;
        this.onchange();
    }
}
