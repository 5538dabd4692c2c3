export const consoles = {
  'console.state.connecting': '연결 중', 'console.state.connected': '연결됨', 'console.state.view_only': '보기 전용',
  'console.state.reconnecting': '다시 연결 중', 'console.state.lost': '끊김', 'console.none': '열린 콘솔이 없습니다.', 'console.none_remedy': '약국이나 통합 VM 관리에서 [화면 열기]를 누르세요.',
  'console.find': '약국이나 VM 찾기', 'console.close': '화면 닫기', 'console.full': '전체 화면', 'console.leave_full': '전체 화면 끝내기', 'console.reconnect': '다시 연결',
  'console.toolbar': '화면 도구', 'console.keys': '키 조합', 'console.touch_keyboard': '키보드', 'console.fit': '창에 맞춤', 'console.actual': '실제 크기', 'console.view_only': '보기 전용', 'console.power': '전원',
  'console.tiling': '화면 나누기', 'console.tile1': '하나씩', 'console.tile4': '2×2', 'console.tile9': '3×3',
  'console.last_picture': '마지막 화면 {at}', 'console.retry_in': '{n}초 뒤 자동으로 다시 연결합니다.', 'console.retrying': '다시 연결하고 있습니다.',
  'console.diagnose': '진단', 'console.start_open': '시작 후 화면 열기', 'console.open_pharmacy': '약국 열기',
  'failure.ui.picture_unreadable.title': '화면이 끊겼습니다.', 'failure.ui.picture_unreadable.why': '브라우저가 받은 화면 데이터를 읽지 못했습니다.', 'failure.ui.picture_unreadable.remedy': '다시 시도하세요. 반복되면 브라우저를 최신 판으로 바꾸세요.',
} as const
