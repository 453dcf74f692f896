export declare const PNG_SIZES: readonly number[];
export declare function iconSvg(): string;
export declare function iconPng(size: number): Buffer;
export declare function writeIcons(folder: string): void;
