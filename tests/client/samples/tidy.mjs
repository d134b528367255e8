// A client that does everything right, and one slip at a time where SLIP names it. Written with fetch.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const { SLIP = "", ORDERPROOF_BASE_URL, ORDERPROOF_USERNAME, ORDERPROOF_PASSWORD } = process.env;
const order = `${ORDERPROOF_BASE_URL}/ordermanagement/v1/orders/${process.env.ORDERPROOF_ORDER_ID}`;
const authorization =
  "Basic " + Buffer.from(`${ORDERPROOF_USERNAME}:${ORDERPROOF_PASSWORD}`).toString("base64");
const amount = Number(process.env.ORDERPROOF_AMOUNT);

async function call(method, url, body) {
  let key = randomUUID();
  for (let number = 0; number < 4; number += 1) {
    if (number) {
      await sleep(SLIP === "hasty retry" ? 100 : 1050);
      if (SLIP === "new key") key = randomUUID();
    }
    const headers = { authorization };
    if (method !== "GET") headers["Klarna-Idempotency-Key"] = key;
    if (body) headers["Content-Type"] = "application/json";
    try {
      const answer = await fetch(url, {
        method,
        headers,
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(1500),
      });
      if (answer.status < 500 && ![409, 429].includes(answer.status)) {
        if (SLIP === "crash on refusal" && !answer.ok) (await answer.json()).error.messages.join();
        if (!answer.ok) throw new Error(`refused: ${answer.status}`);
        return answer;
      }
    } catch (error) {
      if (!["fetch failed", "The operation was aborted due to timeout"].includes(error.message)) throw error;
    }
  }
  throw new Error("no answer");
}

const before = await (await call("GET", order)).json();
const sent = SLIP === "strings" ? String(amount) : amount;
const answer = await call("POST", `${order}/captures`, { captured_amount: sent });
const location = new URL(answer.headers.get("location"), order);
if (location.host === new URL(order).host) {
  const capture = await (await call("GET", location)).json();
  if (capture.captured_amount !== amount) throw new Error("another amount was captured");
}
console.log(before.status, answer.status);
