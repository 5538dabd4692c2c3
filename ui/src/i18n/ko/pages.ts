export const pages = {
  'login.title': '로그인', 'login.username': '사용자 이름', 'login.password': '비밀번호', 'login.submit': '로그인', 'login.language': '언어',
  'setup.title': '관리자 만들기', 'setup.intro': '첫 시작입니다. 서버가 보여 준 일회용 주소로 들어와 관리자 계정을 만드세요.', 'setup.token': '일회용 토큰', 'setup.submit': '관리자 만들기',
  'setup.repeat': '비밀번호 다시 입력', 'setup.mismatch': '두 비밀번호가 다릅니다.', 'setup.password_rule': '12자 이상',
} as const
