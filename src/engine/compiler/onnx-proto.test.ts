import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { attributeTypes, decodeModel, encodeModel, type OnnxModel, onnxTypes } from './onnx-proto.js';

const floats = (values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

function clipped(minimum: number): OnnxModel {
  const type = {
    tensorType: { elemType: onnxTypes.float, shape: { dim: [{ dimParam: 'N' }, { dimValue: 2 }] } },
  };
  return {
    irVersion: 9,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'g',
      node: [
        { opType: 'Clip', name: 'clip', input: ['x', 'low'], output: ['c'] },
        {
          opType: 'Transpose',
          name: 'turn',
          input: ['c'],
          output: ['y'],
          attribute: [{ name: 'perm', type: attributeTypes.ints, ints: [1, 0] }],
        },
      ],
      initializer: [{ name: 'low', dims: [], dataType: onnxTypes.float, rawData: floats([minimum]) }],
      input: [{ name: 'x', type }],
      output: [{ name: 'y', type: { tensorType: { elemType: onnxTypes.float } } }],
    },
  };
}

test('ONNX Runtime reads what is encoded', async () => {
  const session = await InferenceSession.create(encodeModel(clipped(0)));
  const { y } = await session.run({ x: new Tensor('float32', [1, -1, -2, 2], [2, 2]) });
  expect(y!.dims).toEqual([2, 2]);
  expect([...(y!.data as Float32Array)]).toEqual([1, 0, 0, 2]);
});

test('decoding gives back what was encoded', () => {
  const { graph, ...head } = decodeModel(encodeModel(clipped(-0.5)));
  const { graph: given, ...givenHead } = clipped(-0.5);
  expect(head).toEqual(givenHead);
  expect({ ...graph, initializer: [] }).toEqual({ ...given, initializer: [] });
  expect(new Float32Array(new Uint8Array(graph!.initializer![0]!.rawData!).buffer)).toEqual(
    Float32Array.of(-0.5),
  );
  const int64 = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(fc.array(int64), fc.uint8Array(), fc.string(), (ints, rawData, name) => {
      const attribute = { name, type: attributeTypes.ints, ...(ints.length ? { ints } : {}) };
      const graph = {
        node: [{ opType: name, attribute: [attribute] }],
        initializer: [{ name, rawData, dataType: 0 }],
      };
      const back = decodeModel(encodeModel({ irVersion: 0, graph }));
      expect({ ...back.graph, initializer: [] }).toEqual({ ...graph, initializer: [] });
      expect(Buffer.from(back.graph!.initializer![0]!.rawData!)).toEqual(Buffer.from(rawData));
    }),
  );
});

test('bytes that are no message are refused', () => {
  expect(() => decodeModel(new Uint8Array([0x3a, 0xff, 0xff, 0x01, 0x00]))).toThrow();
});
