export declare const FUSE_NAMES: readonly string[];
export declare function readFuses(binary: string): Readonly<Record<string, boolean>>;
export declare function setFuse(binary: string, name: string, on: boolean): void;
