/** Landmarks of one face: x y z of each point one after the other, pixels of the frame; 468 or 478 points. */
export type Points = Float32Array;
