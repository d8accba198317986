/** A bundle's files, each verified before it is used. */
import { PageError } from "./errors";
import { FileRecord, Manifest, parseManifest } from "./manifest";
import { sha256 } from "./sha256";

export class Bundle {
  private readonly records: ReadonlyMap<string, FileRecord>;

  private constructor(private readonly folder: string, readonly manifest: Manifest) {
    this.records = new Map(manifest.files.map((record) => [record.file, record]));
  }

  static async open(folder: string): Promise<Bundle> {
    return new Bundle(folder, parseManifest(new TextDecoder().decode(await fetched(folder, "manifest.json"))));
  }

  /** The content of a file that the manifest lists. */
  async read(file: string): Promise<Uint8Array> {
    const record = this.records.get(file);
    if (!record) throw new PageError(`The bundle's manifest does not list ${file}. Export the folder again.`);
    const content = await fetched(this.folder, file);
    if (content.length !== record.bytes) {
      throw new PageError(`${file} has ${content.length} bytes, not ${record.bytes}: the folder is damaged. Copy it again.`);
    }
    if ((await sha256(content)) !== record.sha256) {
      throw new PageError(`${file} has changed since it was made (SHA-256): the folder is damaged. Copy it again.`);
    }
    return content;
  }
}

async function fetched(folder: string, file: string): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(`${folder}${file}`);
  } catch {
    throw new PageError(`${file} cannot be loaded: the web server does not answer. Load the page again when it does.`);
  }
  if (!response.ok) throw new PageError(`${file} is missing: the web server answers ${response.status}. Copy the whole folder again.`);
  return new Uint8Array(await response.arrayBuffer());
}
