/** The seed cases of `superstim image`, on networks with the weights of the formula. */
export const cases = {
  'vgg19-noise': {
    network: 'vgg19',
    unit: 'block4_conv1:4',
    start: 'noise',
    steps: 20,
    size: 300,
    frames: false,
  },
  'inception-black': {
    network: 'inception_v3',
    unit: 'mixed3:1',
    start: 'black',
    steps: 30,
    size: 299,
    frames: true,
  },
} as const;
export type CaseName = keyof typeof cases;
