// The official client against the server under test: each check prints its name, the first failure ends the run.
import assert from "node:assert/strict"
import {Presence, Socket} from "phoenix"
import WebSocket from "ws"

const base = process.argv[2]
const sockets = []

const connect = (user, params = {}) => {
  const socket = new Socket(base, {
    transport: WebSocket,
    params: {user, ...params},
    authToken: params.token,
    reconnectAfterMs: () => 20,
    rejoinAfterMs: () => 20,
  })
  socket.connect()
  sockets.push(socket)
  return socket
}

// What a push, or a join, is answered.
const answer = push => new Promise((resolve, reject) => {
  push.receive("ok", response => resolve({ok: response}))
  push.receive("error", response => resolve({error: response}))
  push.receive("timeout", () => reject(new Error("no answer in time")))
})
const event = (channel, name) => new Promise(resolve => {
  const ref = channel.on(name, payload => { channel.off(name, ref); resolve(payload) })
})
const once = register => new Promise(resolve => register(resolve))
const bytes = data => Array.from(new Uint8Array(data))
const buffer = list => new Uint8Array(list).buffer

let done = 0
const check = async (name, run) => {
  const patience = new Promise((_, reject) => setTimeout(() => reject(new Error("took too long")), 20000).unref())
  try { await Promise.race([run(), patience]) } catch (error) {
    console.log(`FAILED ${name}`)
    console.log(error)
    process.exit(1)
  }
  done += 1
  console.log(`ok ${name}`)
}

await check("join, with parameters and a token", async () => {
  const channel = connect("ada", {token: "s3cret?>"}).channel("room:1", {a: 1})
  assert.deepEqual(await answer(channel.join()), {ok: {user: "ada", token: "s3cret?>", params: {a: 1}}})
})

await check("a refused join and an unknown topic", async () => {
  const socket = connect("ada")
  const refused = socket.channel("room:refused")
  assert.deepEqual(await answer(refused.join()), {error: {reason: "unauthorized"}})
  refused.leave()
  const unknown = socket.channel("nothing:1")
  assert.deepEqual(await answer(unknown.join()), {error: {reason: "unmatched topic"}})
  unknown.leave()
})

await check("push and reply, ok and error", async () => {
  const channel = connect("ada").channel("room:2")
  channel.join()
  // Pushed before the join is answered: the client holds it back.
  assert.deepEqual(await answer(channel.push("echo", {text: "h\u00e9 \u2028 \"\\"})), {ok: {text: "h\u00e9 \u2028 \"\\"}})
  assert.deepEqual(await answer(channel.push("fail", {no: 1})), {error: {no: 1}})
  assert.deepEqual(await answer(channel.push("later", {})), {ok: "later"})
})

await check("bytes in push, reply, server push and broadcast", async () => {
  const one = connect("ada").channel("room:3")
  const two = connect("bob").channel("room:3")
  await answer(one.join())
  await answer(two.join())
  const {ok} = await answer(one.push("echo", buffer([1, 2, 255])))
  assert.deepEqual(bytes(ok), [255, 2, 1])
  const whispered = event(one, "whispered")
  one.push("whisper", buffer([7, 8]))
  assert.deepEqual(bytes(await whispered), [8, 7])
  const shouted = [event(one, "shouted"), event(two, "shouted")]
  one.push("shout", buffer([9, 10]))
  for (const got of await Promise.all(shouted)) { assert.deepEqual(bytes(got), [10, 9]) }
})

await check("broadcast to all, and to all others", async () => {
  const one = connect("ada").channel("room:4")
  const two = connect("bob").channel("room:4")
  await answer(one.join())
  await answer(two.join())
  const heard = []
  one.on("shouted", payload => heard.push(["one", payload]))
  two.on("shouted", payload => heard.push(["two", payload]))
  await answer(one.push("shout", {n: 1}))
  await answer(one.push("others", {n: 2}))
  await answer(two.push("echo", {}))
  await answer(one.push("echo", {}))
  assert.deepEqual(heard.filter(([who]) => who === "one"), [["one", {n: 1}]])
  assert.deepEqual(heard.filter(([who]) => who === "two"), [["two", {n: 1}], ["two", {n: 2}]])
})

await check("leave", async () => {
  const socket = connect("ada")
  const channel = socket.channel("room:5")
  await answer(channel.join())
  const closed = once(resolve => channel.onClose(resolve))
  assert.deepEqual(await answer(channel.leave()), {ok: {}})
  await closed
  const again = socket.channel("room:5")
  assert.ok((await answer(again.join())).ok)
})

await check("joining a topic twice closes the first", async () => {
  const socket = connect("ada")
  const first = socket.channel("room:6")
  await answer(first.join())
  const closed = once(resolve => first.onClose(resolve))
  const second = socket.channel("room:6")
  assert.ok((await answer(second.join())).ok)
  await closed
  assert.deepEqual(await answer(second.push("echo", {n: 1})), {ok: {n: 1}})
})

await check("a crash is told and the client joins again", async () => {
  const channel = connect("ada").channel("room:7")
  let joins = 0
  let again
  const rejoined = new Promise(resolve => { again = resolve })
  channel.join().receive("ok", () => { joins += 1; if(joins === 2) again() })
  await answer(channel.push("echo", {}))
  const crashed = once(resolve => channel.onError(resolve))
  channel.push("crash", {})
  await crashed
  await rejoined
  assert.deepEqual(await answer(channel.push("echo", {n: 2})), {ok: {n: 2}})
})

await check("a dropped connection is made again and its channels joined again", async () => {
  const socket = connect("ada")
  const channel = socket.channel("room:8")
  let joins = 0
  let again
  const rejoined = new Promise(resolve => { again = resolve })
  channel.join().receive("ok", () => { joins += 1; if(joins === 2) again() })
  await answer(channel.push("echo", {}))
  socket.conn.terminate()
  await rejoined
  assert.deepEqual(await answer(channel.push("echo", {n: 3})), {ok: {n: 3}})
})

await check("a disconnect by the server is 1001, and the client comes back", async () => {
  const socket = connect("dropped")
  const closed = once(resolve => socket.onClose(resolve))
  const channel = socket.channel("room:drop")
  let joined = () => {}
  channel.join().receive("ok", () => joined())
  assert.equal((await closed).code, 1001)
  await once(resolve => { joined = resolve })
})

await check("heartbeat", async () => {
  const socket = connect("ada")
  await once(resolve => socket.onOpen(resolve))
  assert.ok(socket.ping(() => {}))
  await once(resolve => socket.ping(resolve))
})

await check("presence: sync, two metas, update, leave, drop", async () => {
  const list = presence => Object.fromEntries(presence.list((key, {metas}) => [key, metas.map(meta => meta.status)]))
  const until = (presence, wanted) => new Promise(resolve => {
    const look = () => { try { assert.deepEqual(list(presence), wanted); resolve() } catch { /* not yet */ } }
    presence.onSync(look)
    look()
  })
  const arrive = user => {
    const socket = connect(user)
    const channel = socket.channel("room:9", {present: true})
    const presence = new Presence(channel)
    channel.join()
    return {socket, channel, presence}
  }
  const ada = arrive("ada")
  await until(ada.presence, {ada: ["new"]})
  const bob = arrive("bob")
  await until(ada.presence, {ada: ["new"], bob: ["new"]})
  await until(bob.presence, {ada: ["new"], bob: ["new"]})
  const tab = arrive("bob")
  await until(ada.presence, {ada: ["new"], bob: ["new", "new"]})
  await until(tab.presence, {ada: ["new"], bob: ["new", "new"]})
  const updates = []
  ada.presence.onJoin((key, current, joined) => updates.push([key, joined.metas[0].phx_ref_prev]))
  const before = tab.presence.state.bob.metas.map(meta => meta.phx_ref)
  await answer(tab.channel.push("status", "away"))
  await until(ada.presence, {ada: ["new"], bob: ["new", "away"]})
  assert.equal(updates.length, 1)
  assert.ok(before.includes(updates[0][1]))
  tab.channel.leave()
  await until(ada.presence, {ada: ["new"], bob: ["new"]})
  bob.socket.disconnect()
  await until(ada.presence, {ada: ["new"]})
  ada.socket.conn.terminate()
  // The same presence object after the rejoin: its own meta, once.
  await once(resolve => ada.socket.onOpen(resolve))
  await answer(ada.channel.push("echo", {}))
  await until(ada.presence, {ada: ["new"]})
})

console.log(`${done} checks passed`)
process.exit(0)
