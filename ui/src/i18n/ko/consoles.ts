export const consoles = {
  'console.state.connecting': '연결 중', 'console.state.connected': '연결됨', 'console.state.view_only': '보기 전용',
  'console.state.reconnecting': '다시 연결 중', 'console.state.lost': '끊김', 'console.none': '열린 콘솔이 없습니다.', 'console.none_remedy': '약국이나 통합 VM 관리에서 [화면 열기]를 누르세요.',
} as const
