import { openBackend } from './dist/impl/tfjs/backends.js';
import * as tf from '@tensorflow/tfjs';
const snippets = {
conv: `const x = tf.range(0, 12).reshape([1, 3, 4, 1]);
const y = tf.conv2d(x, tf.tensor4d([1, 10, 100], [1, 3, 1, 1]), [2, 1], 'same');
console.log(...(await y.data()));`,
conv3d: `const x = tf.ones([1, 2, 2, 2, 1]);
const dx = tf.grad((v) => tf.conv3d(v, tf.ones([1, 1, 1, 1, 1]), 1, 'valid'))(x);
console.log(...(await dx.data()));`,
conv3dw: `const w = tf.ones([1, 1, 1, 1, 1]);
const dw = tf.grad((v) => tf.conv3d(tf.ones([1, 2, 2, 2, 1]), v, 1, 'valid'))(w);
console.log(...(await dw.data()));`,
matmul: `const a = tf.ones([2, 1, 1, 1]);
const b = tf.tensor3d([1, 2], [2, 1, 1]);
const y = tf.matMul(a, b);
console.log(y.shape.join(), ...(await y.data()));`,
matmul2: `const a = tf.tensor4d([1, 2], [2, 1, 1, 1]);
const b = tf.tensor3d([1, 10, 100], [3, 1, 1]);
console.log(...(await tf.matMul(a, b).data()));`,
matmulg: `const a = tf.ones([1, 1, 1]);
const b = tf.ones([3, 1, 1]);
const da = tf.grad((v) => tf.matMul(v, b))(a);
console.log(da.shape.join(), ...(await da.data()));`,
matmulg2: `const a = tf.ones([1, 2]);
const b = tf.ones([3, 2, 1]);
const da = tf.grad((v) => tf.matMul(v, b))(a);
console.log(da.shape.join(), ...(await da.data()));`,
tanh: `const slope = tf.grad((x) => tf.tanh(x));
const f = (x) => tf.sub(1, tf.square(tf.tanh(x)));
const once = tf.grad(f);
const twice = tf.grad((x) => tf.sum(once(x)));
console.log((await twice(tf.tensor1d([0.3])).data())[0].toFixed(3));`,
tanh2: `const twice = tf.grad(tf.grad(tf.tanh));
console.log((await twice(tf.tensor1d([0.5])).data())[0].toFixed(3));`,
sigmoid2: `const twice = tf.grad(tf.grad(tf.sigmoid));
console.log((await twice(tf.tensor1d([0.5])).data())[0].toFixed(3));`,
};
for (const name of ['cpu','wasm','tensorflow','webgpu']) { const b = await openBackend(name); 
 for (const [k,s] of Object.entries(snippets)) { const l=[]; try { await new (async()=>{}).constructor('tf','console',s)(tf,{log:(...v)=>l.push(v.join(' '))}); } catch(e){l.push(String(e).split('\n')[0])} console.log(name,k,l.join('|')); } }
process.exit()
