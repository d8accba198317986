/** The cheapest way to pair rows with columns (`edgeau.faces.linear_assignment`). */

/** Pairs of row and column; one that costs `limit` or more is left out. */
export function linearAssignment(costs: readonly (readonly number[])[], limit: number): [number, number][] {
  const rows = costs.length, columns = costs[0]?.length ?? 0;
  if (!rows || !columns) return [];
  // Every row may also stay alone, in a column of its own that costs the limit.
  const capped = costs.map((row) => [...row.map((cost) => Math.min(cost, 2 * limit)), ...new Array<number>(rows).fill(limit)]);
  return assign(capped)
    .map((column, row): [number, number] => [row, column])
    .filter(([row, column]) => column < columns && costs[row]![column]! < limit);
}

/** The column of every row; there are no more rows than columns. */
function assign(costs: readonly (readonly number[])[]): number[] {
  const rows = costs.length, columns = costs[0]!.length;
  const rowPrice = new Array<number>(rows).fill(0), columnPrice = new Array<number>(columns + 1).fill(0);
  const rowOf = new Array<number>(columns + 1).fill(-1);
  for (let start = 0; start < rows; start++) {
    rowOf[columns] = start;
    const reached = new Array<number>(columns).fill(Infinity), before = new Array<number>(columns).fill(columns);
    const done = new Array<boolean>(columns + 1).fill(false);
    let at = columns;
    while (rowOf[at]! >= 0) {
      done[at] = true;
      const row = rowOf[at]!;
      let step = Infinity, nearest = columns;
      for (let column = 0; column < columns; column++) {
        if (done[column]) continue;
        const price = costs[row]![column]! - rowPrice[row]! - columnPrice[column]!;
        if (price < reached[column]!) [reached[column], before[column]] = [price, at];
        if (reached[column]! < step) [step, nearest] = [reached[column]!, column];
      }
      for (let column = 0; column <= columns; column++) {
        if (done[column]) {
          rowPrice[rowOf[column]!]! += step;
          columnPrice[column]! -= step;
        } else if (column < columns) reached[column]! -= step;
      }
      at = nearest;
    }
    while (at !== columns) {
      const previous = before[at]!;
      rowOf[at] = rowOf[previous]!;
      at = previous;
    }
  }
  const columnOf = new Array<number>(rows).fill(0);
  rowOf.slice(0, columns).forEach((row, column) => {
    if (row >= 0) columnOf[row] = column;
  });
  return columnOf;
}
