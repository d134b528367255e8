// Runs one flow with the npm package @crystallize/node-klarna, found in the folder NODE_KLARNA.
const https = require("node:https");
const { createRequire } = require("node:module");

const { Klarna } = createRequire(`${process.env.NODE_KLARNA}/`)("@crystallize/node-klarna");
const { ORDERPROOF_FLOW: flow, ORDERPROOF_ORDER_ID: order, ORDERPROOF_AMOUNT: amount } = process.env;
const { hostname, port } = new URL(process.env.ORDERPROOF_BASE_URL);

// The package takes a host name without a port, and speaks https alone.
https.globalAgent.defaultPort = Number(port);
const { orders, captures, refunds } = new Klarna({
  username: process.env.ORDERPROOF_USERNAME,
  password: process.env.ORDERPROOF_PASSWORD,
  apiEndpoint: hostname,
}).orderManagementV1;

const line = {
  name: "Shirt",
  quantity: 1,
  unit_price: Number(amount),
  tax_rate: 2500,
  total_amount: Number(amount),
  total_tax_amount: Number(amount) / 5,
};
const flows = {
  read: () => orders.getOrder(order),
  acknowledge: () => orders.acknowledge(order),
  cancel: () => orders.cancel(order),
  release: () => orders.releaseRemainingAuthorization(order),
  "capture-part": () => captures.capture(order, { captured_amount: Number(amount), order_lines: [line] }),
  refund: () => refunds.create(order, { refunded_amount: Number(amount), order_lines: [line] }),
};

flows[flow]().then((answer) => {
  if (answer.error !== undefined) {
    console.error("refused:", answer.statusCode, answer.error);
    process.exitCode = 1;
  }
});
