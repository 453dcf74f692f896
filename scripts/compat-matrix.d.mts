export function withMatrix(page: string): string;
