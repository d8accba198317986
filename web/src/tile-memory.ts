/** Tiles of a film that show what they showed when they were searched (`edgeau.faces.landmarks.litert.tile_memory`). */
import type { FoundFace } from "./detection";
import { Picture, shrink } from "./picture";

const BLOCKS = 16, CHANGED = 5;

export class TileMemory {
  private readonly searched = new Map<string, { tile: Picture; faces: FoundFace[] }>();

  async faces(place: string, tile: Picture, search: (tile: Picture) => Promise<FoundFace[]>): Promise<FoundFace[]> {
    const before = this.searched.get(place);
    if (before && isSame(before.tile, tile)) return before.faces;
    const faces = await search(tile);
    this.searched.set(place, { tile, faces });
    return faces;
  }
}

function isSame(before: Picture, now: Picture): boolean {
  if (before.width !== now.width) return false;
  const changes = { ...now, data: now.data.map((value, at) => Math.abs(value - before.data[at]!)) };
  const blocks = shrink(changes, now.width / BLOCKS, BLOCKS, BLOCKS);
  return blocks.data.every((value) => value < CHANGED);
}
