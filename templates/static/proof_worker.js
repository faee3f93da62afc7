// Find, for each puzzle, a number whose SHA-256 (FIPS 180-4) with the seed begins with zeros.
const K = new Int32Array(64);
const H = new Int32Array(8);

// The constants are the first bits of the roots of the primes.
function constants() {
  const fraction = (x) => ((x - Math.floor(x)) * 4294967296) | 0;
  for (let n = 2, found = 0; found < 64; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n; d += 1) {
      prime = prime && n % d !== 0;
    }
    if (prime) {
      if (found < 8) {
        H[found] = fraction(Math.sqrt(n));
      }
      K[found] = fraction(Math.cbrt(n));
      found += 1;
    }
  }
}

const block = new Uint8Array(64);
const w = new Int32Array(64);

// Return the first 32 bits of the hash of the first `length` bytes of the block, which are at most 55.
function hash(length) {
  block.fill(0, length);
  block[length] = 0x80;
  block[62] = length >> 5;
  block[63] = (length << 3) & 0xff;
  for (let i = 0; i < 16; i += 1) {
    const at = i * 4;
    w[i] = (block[at] << 24) | (block[at + 1] << 16) | (block[at + 2] << 8) | block[at + 3];
  }
  for (let i = 16; i < 64; i += 1) {
    const x = w[i - 15];
    const y = w[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let a = H[0];
  let b = H[1];
  let c = H[2];
  let d = H[3];
  let e = H[4];
  let f = H[5];
  let g = H[6];
  let h = H[7];
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  return (H[0] + a) | 0;
}

function write(text, at) {
  for (let i = 0; i < text.length; i += 1) {
    block[at + i] = text.charCodeAt(i);
  }
  return at + text.length;
}

function solve(seed, place, zeros) {
  const begin = write(`${seed}.${place}.`, 0);
  for (let number = 0; ; number += 1) {
    if (hash(write(String(number), begin)) >>> (32 - zeros) === 0) {
      return number;
    }
  }
}

self.onmessage = ({ data }) => {
  constants();
  const numbers = [];
  for (let place = 0; place < data.puzzles; place += 1) {
    numbers.push(solve(data.seed, place, data.zeros));
    self.postMessage({ done: place + 1 });
  }
  self.postMessage({ solution: numbers.join(",") });
};
