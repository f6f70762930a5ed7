/** @file Programs that runs can be written for. */

export const outletNames = ['neuronpedia', 'circuit-tracer', 'headvis'] as const;
export type OutletName = (typeof outletNames)[number];
